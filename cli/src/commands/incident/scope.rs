//! `cofferdam incident scope`

use std::process::ExitCode;

use clap::Args;
use cofferdam_core::Field;
use response_api::{
    AccessLog, Exposure, LevelCounts, LogProof, ScopeIncident, Unresolved, Untouched,
};
use staff::printable;

use crate::options::{CommandError, IncidentArgs};
use crate::{columns, output, words};

/// The most jurisdictions that are shown. `--json` has all.
const JURISDICTIONS: usize = 10;

/// The most accesses counted as everybody's that are shown. `--json` has a thousand.
const UNRESOLVED: usize = 20;

/// `cofferdam incident scope`
#[derive(Debug, Args)]
pub struct ScopeArgs {
    #[command(flatten)]
    of: IncidentArgs,
    /// Read every entry of the log as well, and compare the entries with the index
    #[arg(long)]
    from_log: bool,
}

/// Computes the exposure of an incident, and prints the next step.
pub async fn run(args: ScopeArgs) -> Result<ExitCode, CommandError> {
    let ScopeArgs { of, from_log } = args;
    let incident = of.incident;
    let call = ScopeIncident { incident, from_log };
    let exposure = staff::call(&of.response.client()?, &call).await?;
    of.response.print(&exposure, lines)?;
    let exposed = exposure.people.read + exposure.people.presented;
    // A brought table has access logs and no release log.
    if !exposure.logs.is_empty() && exposed > 0 {
        output::next(&format!("cofferdam incident void {incident} --exposed"));
    }
    output::next(&format!("cofferdam letters plan --incident {incident} --audience staff"));
    Ok(ExitCode::SUCCESS)
}

fn lines(exposure: &Exposure) -> Vec<String> {
    let mut out = vec![format!(
        "incident {}: exposure of {} customers, until {}",
        exposure.incident,
        words::number(exposure.customers),
        words::instant(exposure.until),
    )];
    out.extend(columns::aligned(&levels(exposure)));
    let places = words::largest(&exposure.jurisdictions, JURISDICTIONS);
    out.extend(places.map(|places| format!("where they live: {places}")));
    let read = exposure.people.read;
    out.extend((exposure.while_signed_in > 0).then(|| {
        let signed_in = words::number(exposure.while_signed_in);
        format!(
            "read only while they were signed in: {signed_in} of {} people",
            words::number(read)
        )
    }));
    out.push(format!(
        "minors: {}; no letter reached: {}; counted as read for a doubt alone: {}",
        words::number(exposure.minors),
        words::number(exposure.undeliverable),
        words::number(exposure.assumed)
    ));
    out.extend(exposure.given_up.iter().map(|of| format!("{}: {}", of.host, of.what)));
    out.extend(exposure.untouched.iter().map(untouched));
    out.extend(exposure.logs.iter().map(release_log));
    out.extend(exposure.access_logs.iter().map(access_log));
    out.extend(exposure.unresolved.iter().take(UNRESOLVED).map(unresolved));
    let more = exposure.unresolved.len().saturating_sub(UNRESOLVED);
    if more > 0 {
        out.push(format!(
            "counts as everybody's: {} more (--json lists them)",
            words::number(more as u64)
        ));
    }
    out.extend(exposure.doubts.iter().map(|doubt| {
        let counts = if doubt.counts_as_read { " (counts as read)" } else { "" };
        format!("doubt: {}{counts}", printable(&doubt.what))
    }));
    out
}

fn release_log(log: &LogProof) -> String {
    let seen = if log.cosigned.is_some() { ", cosigned" } else { "" };
    format!("log: {} entries, root {}{seen}", words::number(log.size), log.root)
}

fn access_log(log: &AccessLog) -> String {
    let (from, to) = (words::instant(log.covers.from), words::instant(log.covers.to));
    let accesses = words::number(log.accesses);
    format!("access log: {}, {accesses} accesses, {from} to {to}", printable(&log.name))
}

fn unresolved(access: &Unresolved) -> String {
    let fields: Vec<_> = access.fields.iter().map(Field::as_str).collect();
    format!(
        "counts as everybody's: {}:{} {} by {} as {}: {}; {}",
        printable(&access.log),
        access.line,
        words::instant(access.at),
        access.caller,
        access.via,
        fields.join(" "),
        printable(&access.why)
    )
}

fn levels(exposure: &Exposure) -> Vec<Vec<String>> {
    let row = |what: &str, counts: &LevelCounts| {
        let LevelCounts { read, presented, known_unset, reachable } = *counts;
        let numbers = [read, presented, known_unset, reachable].map(words::number);
        [vec![what.to_owned()], numbers.to_vec()].concat()
    };
    let heads = ["", "read", "presented", "known to be unset", "reachable"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.push(row("people", &exposure.people));
    rows.extend(exposure.fields.iter().map(|(field, counts)| row(field.as_str(), counts)));
    let brought = |(field, counts): (&Field, _)| row(&format!("brought table: {field}"), counts);
    rows.extend(exposure.brought.iter().map(brought));
    rows
}

fn untouched(compartment: &Untouched) -> String {
    let Untouched { domain, records, released, granted } = compartment;
    let grant = if *granted { "the hosts had a grant for them" } else { "the hosts had no grant" };
    let (released, records) = (words::number(*released), words::number(*records));
    if released == "0" {
        format!("{domain}: none of {records} records was released to the fallen hosts; {grant}")
    } else {
        format!("{domain}: {released} of {records} records were released to the fallen hosts")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use cofferdam_core::Domain;
    use response_api::{Doubt, DoubtCause, GivenUp, IncidentId};

    use super::*;

    fn exposure() -> Exposure {
        let at = "2012-01-15T20:00:00Z".parse().unwrap();
        let counts = LevelCounts { read: 1_234, presented: 56, known_unset: 7, reachable: 18_703 };
        Exposure {
            incident: IncidentId(1),
            computed: at,
            until: at,
            people: counts,
            fields: BTreeMap::from([(Field::Name, counts)]),
            brought: BTreeMap::new(),
            jurisdictions: (0..12).map(|n| (format!("US-{n:02}"), n)).collect(),
            languages: BTreeMap::new(),
            minors: 12,
            undeliverable: 3,
            access_logs: vec![],
            unresolved: vec![],
            assumed: 0,
            while_signed_in: 1_200,
            given_up: vec![GivenUp {
                host: "web-ky-1".parse().unwrap(),
                what: "what was released to it".into(),
            }],
            customers: 20_000,
            untouched: vec![Untouched {
                domain: Domain::Payments,
                records: 9_000,
                released: 0,
                granted: false,
            }],
            logs: vec![LogProof {
                size: 5_000,
                root: "abc=".into(),
                checkpoint: String::new(),
                cosigned: Some(String::new()),
                sightings: None,
            }],
            doubts: vec![Doubt {
                cause: DoubtCause::Uncoded,
                what: "the log was repaired".into(),
                counts_as_read: true,
            }],
        }
    }

    #[test]
    fn the_table_shows_levels_places_proof_and_doubts() {
        let expected = "\
incident 1: exposure of 20,000 customers, until 2012-01-15 20:00:00Z
         read  presented  known to be unset  reachable
people  1,234         56                  7     18,703
name    1,234         56                  7     18,703
where they live: US-11 11, US-10 10, US-09 9, US-08 8, US-07 7, US-06 6, US-05 5, US-04 4, US-03 3, US-02 2 and 2 more
read only while they were signed in: 1,200 of 1,234 people
minors: 12; no letter reached: 3; counted as read for a doubt alone: 0
web-ky-1: what was released to it
payments: none of 9,000 records was released to the fallen hosts; the hosts had no grant
log: 5,000 entries, root abc=, cosigned
doubt: the log was repaired (counts as read)";
        assert_eq!(lines(&exposure()).join("\n"), expected);
    }

    #[test]
    fn a_compartment_that_was_reached_is_not_called_untouched() {
        let mut exposure = exposure();
        exposure.untouched[0].released = 3;
        exposure.while_signed_in = 0;
        let text = lines(&exposure).join("\n");
        assert!(!text.contains("signed in"), "{text}");
        assert!(text.contains("payments: 3 of 9,000 records were released"), "{text}");
    }
}
