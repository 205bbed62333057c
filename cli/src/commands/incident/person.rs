//! `cofferdam incident person`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{CustomerNumber, Field, Record};
use response_api::{FindPerson, PersonExposure, ReadPerson, ResolveCustomerNumber};

use crate::options::{CommandError, IncidentArgs};
use crate::words;

/// `cofferdam incident person`
#[derive(Debug, Args)]
pub struct PersonArgs {
    #[command(flatten)]
    of: IncidentArgs,
    /// The customer's record number
    #[arg(required_unless_present_any = ["number", "key"])]
    record: Option<u32>,
    /// The customer number, as the shop's app servers know and log it
    #[arg(long, value_name = "NUMBER", conflicts_with = "record")]
    number: Option<u32>,
    /// The shop's own number or code for the person, for an incident about the brought table
    #[arg(long, value_name = "KEY", conflicts_with_all = ["record", "number"])]
    key: Option<String>,
}

/// Shows the exposure of one person's data.
pub async fn run(args: PersonArgs) -> Result<ExitCode, CommandError> {
    let PersonArgs { of, record, number, key } = args;
    let client = of.response.client()?;
    let record = match (record, number, key) {
        (Some(record), ..) => Record(record),
        (None, Some(number), _) => {
            let number = CustomerNumber(number);
            let resolve = ResolveCustomerNumber { incident: of.incident, number };
            staff::call(&client, &resolve).await?
        }
        (None, None, Some(key)) => {
            let found = staff::call(&client, &FindPerson { key }).await?;
            found.ok_or("nobody in the brought table has that key")?
        }
        (None, None, None) => return Err("name a record, --number or --key".into()),
    };
    let person = staff::call(&client, &ReadPerson { incident: of.incident, record }).await?;
    of.response.print(&person, lines)?;
    Ok(ExitCode::SUCCESS)
}

fn lines(person: &PersonExposure) -> Vec<String> {
    let number = person.number.map(|number| format!(", customer number {number}"));
    let whose = format!("record {}{}", person.record, number.unwrap_or_default());
    if person.fields.is_empty() {
        let known =
            if person.exists { "not affected" } else { "not affected, and no customer now" };
        return vec![format!("{whose}: {known}")];
    }
    let fields = person.fields.iter().map(|(field, level)| format!("{field} {}", level.as_str()));
    let mut out = vec![format!("{whose}: {}", fields.collect::<Vec<_>>().join(", "))];
    if person.while_signed_in {
        out.push("everything that was read was read while the customer was signed in".to_owned());
    }
    out.extend(person.events.iter().map(|event| {
        let names: Vec<_> = event.fields.iter().map(Field::as_str).collect();
        let signed_in = if event.signed_in { " while signed in" } else { "" };
        format!(
            "{} to {}: {} {}{signed_in} by {} through {}",
            words::instant(event.from),
            words::instant(event.to),
            names.join(", "),
            event.level.as_str(),
            event.caller,
            event.via
        )
    }));
    out.extend(person.lines.iter().map(|of| {
        let names: Vec<_> = of.fields.iter().map(Field::as_str).collect();
        format!("{} line {}: {}, {}", of.log, of.line, words::instant(of.at), names.join(", "))
    }));
    let more = person.line_count.unwrap_or_default().saturating_sub(person.lines.len() as u64);
    out.extend((more > 0).then(|| format!("and {more} more lines")));
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use cofferdam_core::FieldSet;
    use response_api::{Level, PersonEvent, PersonLine};

    use super::*;

    #[test]
    fn it_says_what_by_whom_and_when() {
        let at = |text: &str| text.parse().unwrap();
        let person = PersonExposure {
            record: Record(7),
            number: Some(CustomerNumber(4_711)),
            exists: true,
            fields: BTreeMap::from([(Field::Name, Level::Read), (Field::Phone, Level::Reachable)]),
            while_signed_in: false,
            events: vec![PersonEvent {
                from: at("2012-01-14T03:10:00Z"),
                to: at("2012-01-14T03:59:59Z"),
                caller: "web-ky-1".parse().unwrap(),
                via: "accounts".parse().unwrap(),
                level: Level::Read,
                signed_in: false,
                fields: FieldSet::EMPTY.with(Field::Name),
            }],
            lines: vec![PersonLine {
                log: "app.csv".to_owned(),
                line: 31,
                at: at("2012-01-14T03:10:00Z"),
                fields: FieldSet::EMPTY.with(Field::Name),
            }],
            line_count: Some(3),
        };
        assert_eq!(
            lines(&person),
            [
                "record 7, customer number 4711: name read, phone reachable",
                "2012-01-14 03:10:00Z to 2012-01-14 03:59:59Z: name read by web-ky-1 through accounts",
                "app.csv line 31: 2012-01-14 03:10:00Z, name",
                "and 2 more lines",
            ]
        );
        let mut signed_in = person.clone();
        (signed_in.while_signed_in, signed_in.events[0].signed_in) = (true, true);
        assert_eq!(
            lines(&signed_in)[1..3],
            [
                "everything that was read was read while the customer was signed in",
                "2012-01-14 03:10:00Z to 2012-01-14 03:59:59Z: name read while signed in by web-ky-1 \
                 through accounts",
            ]
        );
        let nobody =
            PersonExposure { number: None, fields: BTreeMap::new(), events: vec![], ..person };
        assert_eq!(lines(&nobody), ["record 7: not affected"]);
    }
}
