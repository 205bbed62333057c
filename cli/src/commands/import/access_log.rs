//! `cofferdam import access-log` and `access-logs`: other systems' logs for an incident.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use cofferdam_core::{CallerName, Timestamp};
use response_api::{AccessLog, ListAccessLogs, RemoveAccessLog};
use staff::import::{Coverage, bring_access_logs};
use staff::printable;

use crate::command::{CommandError, Common, instant};
use crate::output::Progress;
use crate::table;

/// How many actors are shown. `--json` has all.
const ACTORS: usize = 12;

/// `cofferdam import access-log`
#[derive(Debug, Args)]
pub struct AccessLogArgs {
    /// The files, oldest first: one goes on where the one before it ends
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// How they are to be understood: a TOML file, see docs/imports.md
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,
    /// Since when they tell everything [default: the first line's instant]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    covers_from: Option<Timestamp>,
    /// Until when they tell everything [default: the last line's instant]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    covers_to: Option<Timestamp>,
    #[command(flatten)]
    common: Common,
}

/// `cofferdam import access-logs`
#[derive(Debug, Subcommand)]
pub enum AccessLogsCommand {
    /// List the access logs that were brought
    List(ListArgs),
    /// Take an access log away, as one brought with the wrong mapping
    Remove(RemoveArgs),
}

/// `cofferdam import access-logs list`
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    common: Common,
}

/// `cofferdam import access-logs remove`
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// Its SHA-256, as `list` shows it
    log: String,
    #[command(flatten)]
    common: Common,
}

/// Brings access logs. If it stops, what was brought stays, and the same command goes on from
/// there.
pub async fn run(args: AccessLogArgs) -> Result<ExitCode, CommandError> {
    let AccessLogArgs { files, mapping, covers_from, covers_to, common } = args;
    let coverage = Coverage { from: covers_from, to: covers_to };
    let mut bar = Progress::new("importing an access log");
    let progress = &mut |done, total| bar.set(done, total);
    let logs = bring_access_logs(&common.client()?, &files, &mapping, coverage, progress).await?;
    drop(bar);
    common.print(&logs, |logs| logs.iter().flat_map(lines).collect())?;
    Ok(ExitCode::SUCCESS)
}

/// Lists or removes logs that were brought.
pub async fn run_logs(command: AccessLogsCommand) -> Result<ExitCode, CommandError> {
    match command {
        AccessLogsCommand::List(ListArgs { common }) => {
            let logs = staff::call(&common.client()?, &ListAccessLogs {}).await?;
            common.print(&logs, |logs| logs.iter().flat_map(lines).collect())?;
        }
        AccessLogsCommand::Remove(RemoveArgs { log, common }) => {
            staff::call(&common.client()?, &RemoveAccessLog { log }).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(log: &AccessLog) -> Vec<String> {
    let AccessLog { accesses, everybody, unknown, unreadable, .. } = log;
    let [accesses, everybody, unknown, unreadable] =
        [accesses, everybody, unknown, unreadable].map(|n| table::number(*n));
    vec![
        format!("{}  {} ({})", log.log, printable(&log.name), log.format),
        format!(
            "  tells everything from {} to {}",
            table::instant(log.covers.from),
            table::instant(log.covers.to)
        ),
        format!(
            "  {accesses} accesses, {everybody} count as everybody's; {unknown} names not on the \
             roster; {unreadable} lines make no sense"
        ),
        format!("  who appears: {}", actors(&log.actors)),
    ]
}

fn actors(all: &BTreeMap<CallerName, u64>) -> String {
    let mut most: Vec<_> = all.iter().collect();
    most.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let shown = most.iter().take(ACTORS).map(|(name, n)| format!("{name} {}", table::number(**n)));
    let more = most.len().saturating_sub(ACTORS);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.collect::<Vec<_>>().join(", "))
}
