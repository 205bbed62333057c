//! `cofferdam incident report`

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use cofferdam_wire::Client;
use response_api::{IncidentId, MakeReport, Report};

use super::{Common, StepError, incident_number, table};
use crate::CommandError;

/// `cofferdam incident report`
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The incident's number
    #[arg(value_parser = incident_number)]
    incident: IncidentId,
    /// Write the report there as one HTML page
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Makes the report.
pub async fn report(client: &Client, incident: IncidentId) -> Result<Report, StepError> {
    client.call(&MakeReport { incident }).await.map_err(StepError::plain)
}

/// Writes the report's page, readable by its owner alone.
pub fn write(report: &Report, path: &Path) -> std::io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(report.html.as_bytes())
}

/// Runs the command.
pub async fn run(args: ReportArgs) -> Result<ExitCode, CommandError> {
    let report = report(&args.common.client()?, args.incident).await?;
    if let Some(path) = &args.out {
        write(&report, path).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    args.common.print(&report, |report| {
        let written = args.out.as_ref().map(|path| format!("page: {}", path.display()));
        lines(report).into_iter().chain(written).collect()
    })?;
    Ok(ExitCode::SUCCESS)
}

fn lines(report: &Report) -> Vec<String> {
    let incident = &report.incident;
    let mut rows = vec![
        row(&format!("incident {}", incident.incident), incident.title.clone()),
        row("declared", table::instant(incident.declared)),
        row("fallen", table::names(&incident.fallen)),
        row("window", table::window(incident.from, incident.to)),
    ];
    rows.push(row("exposure", exposure(report)));
    let voided = report.voided.as_ref();
    rows.push(row("credentials", {
        let void = |v: &response_api::Voided| format!("{} void", table::number(v.customers));
        voided.map_or("not void".to_owned(), void)
    }));
    rows.extend(
        report.letters.iter().map(|letter| {
            row(&format!("letter {}", letter.letter), super::letters::summary(letter))
        }),
    );
    let notice = report.notice.as_ref();
    rows.push(row("notice", notice.map_or("not published".to_owned(), |n| n.url.clone())));
    rows.push(row("alarms", format!("{} in the window", report.alarms.len())));
    rows.push(row("journal", format!("{} entries", report.journal.len())));
    table::lines(&rows)
}

fn exposure(report: &Report) -> String {
    report.exposure.as_ref().map_or("not scoped".to_owned(), |exposure| {
        let people = &exposure.people;
        let [read, presented, reachable] =
            [people.read, people.presented, people.reachable].map(table::number);
        format!("{read} people read, {presented} presented, {reachable} within reach")
    })
}

fn row(what: &str, value: String) -> Vec<String> {
    vec![what.to_owned(), value]
}
