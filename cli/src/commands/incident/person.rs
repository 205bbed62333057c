//! `cofferdam incident person`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{Field, Record};
use response_api::{FindPerson, IncidentId, PersonExposure, ReadPerson};

use crate::command::{CommandError, Common, incident_number};
use crate::table;

/// `cofferdam incident person`
#[derive(Debug, Args)]
pub struct PersonArgs {
    /// The incident's number
    #[arg(value_parser = incident_number)]
    incident: IncidentId,
    /// The customer's record number
    #[arg(required_unless_present = "key")]
    record: Option<u32>,
    /// The shop's own number or code for the customer, where the incident is about the roster
    #[arg(long, value_name = "KEY", conflicts_with = "record")]
    key: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Shows what became of one person's data.
pub async fn run(args: PersonArgs) -> Result<ExitCode, CommandError> {
    let client = args.common.client()?;
    let record = match args.key {
        Some(key) => {
            let found = staff::call(&client, &FindPerson { key }).await?;
            found.ok_or("nobody on the roster has that key")?
        }
        None => Record(args.record.unwrap_or_default()),
    };
    let person = staff::call(&client, &ReadPerson { incident: args.incident, record }).await?;
    args.common.print(&person, lines)?;
    Ok(ExitCode::SUCCESS)
}

fn lines(person: &PersonExposure) -> Vec<String> {
    let number = person.record;
    if person.fields.is_empty() {
        let known =
            if person.exists { "not affected" } else { "not affected, and no customer now" };
        return vec![format!("record {number}: {known}")];
    }
    let fields = person.fields.iter().map(|(field, level)| format!("{field} {}", level.as_str()));
    let mut out = vec![format!("record {number}: {}", fields.collect::<Vec<_>>().join(", "))];
    out.extend(person.events.iter().map(|event| {
        let names: Vec<_> = event.fields.iter().map(Field::as_str).collect();
        format!(
            "{} to {}: {} {} by {} through {}",
            table::instant(event.from),
            table::instant(event.to),
            names.join(", "),
            event.level.as_str(),
            event.caller,
            event.via
        )
    }));
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use cofferdam_core::FieldSet;
    use response_api::{Level, PersonEvent};

    use super::*;

    #[test]
    fn it_says_what_by_whom_and_when() {
        let at = |text: &str| text.parse().unwrap();
        let person = PersonExposure {
            record: Record(7),
            exists: true,
            fields: BTreeMap::from([(Field::Name, Level::Read), (Field::Phone, Level::Reachable)]),
            events: vec![PersonEvent {
                from: at("2012-01-14T03:10:00Z"),
                to: at("2012-01-14T03:59:59Z"),
                caller: "web-ky-1".parse().unwrap(),
                via: "accounts".parse().unwrap(),
                level: Level::Read,
                fields: FieldSet::EMPTY.with(Field::Name),
            }],
        };
        assert_eq!(
            lines(&person),
            [
                "record 7: name read, phone reachable",
                "2012-01-14 03:10:00Z to 2012-01-14 03:59:59Z: name read by web-ky-1 through accounts",
            ]
        );
        let nobody = PersonExposure { fields: BTreeMap::new(), events: vec![], ..person };
        assert_eq!(lines(&nobody), ["record 7: not affected"]);
    }
}
