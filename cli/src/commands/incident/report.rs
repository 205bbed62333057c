//! `cofferdam incident report`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use response_api::{IncidentId, MakeReport, Report, Voided};
use staff::incident::write_report;

use crate::command::{CommandError, Common, incident_number};
use crate::commands::letters::show;
use crate::table;

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

/// Shows what is known of an incident.
pub async fn run(args: ReportArgs) -> Result<ExitCode, CommandError> {
    let call = MakeReport { incident: args.incident };
    let report = staff::call(&args.common.client()?, &call).await?;
    if let Some(path) = &args.out {
        write_report(&report, path)?;
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
        let void = |v: &Voided| format!("{} void", table::number(v.customers));
        voided.map_or("not void".to_owned(), void)
    }));
    let letters = report.letters.iter();
    rows.extend(
        letters.map(|letter| row(&format!("letter {}", letter.letter), show::summary(letter))),
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
