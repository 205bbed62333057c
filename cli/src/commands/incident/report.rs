//! `cofferdam incident report`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use response_api::{MakeReport, Report, Voided};
use staff::incident::write_report;

use super::lines as incident_lines;
use crate::commands::letters;
use crate::options::{CommandError, IncidentArgs};
use crate::{columns, words};

/// `cofferdam incident report`
#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(flatten)]
    of: IncidentArgs,
    /// Write the report as one HTML page into this file
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
}

/// Shows the report of an incident, or writes it as a page.
pub async fn run(args: ReportArgs) -> Result<ExitCode, CommandError> {
    let ReportArgs { of, out } = args;
    let call = MakeReport { incident: of.incident };
    let report = staff::call(&of.response.client()?, &call).await?;
    if let Some(path) = &out {
        write_report(&report, path)?;
    }
    of.response.print(&report, |report| {
        let written = out.as_ref().map(|path| format!("page: {}", path.display()));
        lines(report).into_iter().chain(written).collect()
    })?;
    Ok(ExitCode::SUCCESS)
}

fn lines(report: &Report) -> Vec<String> {
    let voided = report.voided.as_ref();
    let void = |v: &Voided| format!("{} void", words::number(v.customers));
    let notice = report.notice.as_ref();
    let letters = report.letters.iter();
    let mut rows = vec![
        row("exposure", exposure(report)),
        row("credentials", voided.map_or("not void".to_owned(), void)),
    ];
    rows.extend(letters.map(|of| row(&format!("letter {}", of.letter), letters::summary(of))));
    rows.extend([
        row("notice", notice.map_or("not published".to_owned(), |n| n.url.clone())),
        row("alarms", format!("{} in the window", report.alarms.len())),
        row("journal", format!("{} entries", report.journal.len())),
    ]);
    let mut out = incident_lines::lines(&report.incident);
    out.extend(columns::aligned(&rows));
    out
}

fn exposure(report: &Report) -> String {
    report.exposure.as_ref().map_or("not scoped".to_owned(), |exposure| {
        let people = &exposure.people;
        let [read, presented, unset, reachable] =
            [people.read, people.presented, people.known_unset, people.reachable]
                .map(words::number);
        let signed_in = match exposure.while_signed_in {
            0 => String::new(),
            people => format!(" ({} of them only while signed in)", words::number(people)),
        };
        format!(
            "{read} people read{signed_in}, {presented} presented, {unset} known to have a field unset, \
             {reachable} within reach"
        )
    })
}

fn row(what: &str, value: String) -> Vec<String> {
    vec![what.to_owned(), value]
}
