//! `cofferdam import access-log`: brings other systems' logs to `response`, which makes of them
//! what its own logs are.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aws_lc_rs::digest::{Context, SHA256};
use clap::{Args, Subcommand};
use cofferdam_core::{Access, Timestamp};
use cofferdam_foreign::{Item, LogMapping, read_log};
use cofferdam_wire::Client;
use response_api::{
    AccessLog, BeginAccessLog, FinishAccessLog, ImportAccesses, ListAccessLogs, RemoveAccessLog,
    Span,
};

use super::pages::{self, TakeError};
use super::rejects::{Reject, RejectsFile};
use crate::CommandError;
use crate::incident::declare::time;
use crate::incident::{Common, table};
use crate::output::Progress;

/// Accesses of a page: one that names many customers is large.
const PAGE: usize = 5_000;
/// So many actors are shown; `--json` has all.
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
    #[arg(long, value_name = "TIME", value_parser = time)]
    covers_from: Option<Timestamp>,
    /// Until when they tell everything [default: the last line's instant]
    #[arg(long, value_name = "TIME", value_parser = time)]
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

/// What listing takes.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    common: Common,
}

/// What removing takes.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// Its SHA-256, as `list` shows it
    log: String,
    #[command(flatten)]
    common: Common,
}

/// Runs the command. What was brought stays; the same command goes on from there.
pub async fn run(args: AccessLogArgs) -> Result<ExitCode, CommandError> {
    let client = args.common.client()?;
    let mapping: LogMapping = super::mapping(&args.mapping)?;
    let mapping_text = std::fs::read(&args.mapping)?;
    let mut brought = Vec::new();
    for file in &args.files {
        let log = digest(file, &mapping_text).map_err(|e| format!("{}: {e}", file.display()))?;
        brought.push((file, bring(&client, file, &log, &mapping).await?, log));
    }
    let mut logs = Vec::new();
    for place in 0..brought.len() {
        let (file, read, log) = &brought[place];
        let next = brought.get(place + 1).and_then(|(_, read, _)| read.span).map(|span| span.from);
        let (first, last) = (place == 0, place + 1 == brought.len());
        let from = args.covers_from.filter(|_| first).or(read.span.map(|span| span.from));
        let to = args.covers_to.filter(|_| last).or(next).or(read.span.map(|span| span.to));
        let (from, to) = from.zip(to).ok_or_else(|| {
            format!(
                "{}: no line of it tells when; say --covers-from and --covers-to",
                file.display()
            )
        })?;
        let covers = Span { from, to: to.max(from) };
        let call = FinishAccessLog { log: log.clone(), covers, unreadable: read.unreadable };
        logs.push(client.call(&call).await?);
    }
    args.common.print(&logs, |logs| logs.iter().flat_map(lines).collect())?;
    Ok(ExitCode::SUCCESS)
}

/// Runs one of the commands over logs that were brought.
pub async fn run_logs(command: AccessLogsCommand) -> Result<ExitCode, CommandError> {
    match command {
        AccessLogsCommand::List(ListArgs { common }) => {
            let logs = common.client()?.call(&ListAccessLogs {}).await?;
            common.print(&logs, |logs| logs.iter().flat_map(lines).collect())?;
        }
        AccessLogsCommand::Remove(RemoveArgs { log, common }) => {
            common.client()?.call(&RemoveAccessLog { log }).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What reading a file came to.
#[derive(Debug, Clone, Copy, Default)]
struct FileRead {
    span: Option<Span>,
    unreadable: u64,
}

async fn bring(
    client: &Client,
    file: &Path,
    log: &str,
    mapping: &LogMapping,
) -> Result<FileRead, CommandError> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let format = mapping.format().to_owned();
    let state = client.call(&BeginAccessLog { log: log.to_owned(), name, format }).await?;
    let (path, mapping) = (file.to_owned(), mapping.clone());
    let (mut accesses, reading) =
        pages::read(PAGE, move |pages| read(&path, &mapping, &mut |access| pages.push(access)));
    let mut progress = Progress::new("importing an access log", 0);
    let mut page = 0;
    while let Some(some) = accesses.recv().await {
        if !state.finished && page >= state.pages {
            let log = log.to_owned();
            client.call(&ImportAccesses { log, page, accesses: some }).await?;
        }
        page += 1;
        progress.set(u64::from(page) * PAGE as u64);
    }
    progress.finish();
    reading.await?
}

/// Reads a file; lines that make no sense are listed beside it.
fn read(
    path: &Path,
    mapping: &LogMapping,
    take: &mut dyn FnMut(Access) -> Result<(), TakeError>,
) -> Result<FileRead, CommandError> {
    let failed = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let file = File::open(path).map_err(|e| failed(&e))?;
    let mut rejects: Option<RejectsFile> = None;
    let mut done = FileRead::default();
    read_log(mapping, BufReader::with_capacity(1 << 20, file), &mut |item| {
        match item {
            Item::Seen(at) => {
                let span = done.span.get_or_insert(Span { from: at, to: at });
                *span = Span { from: span.from.min(at), to: span.to.max(at) };
            }
            Item::Access(access) => take(access)?,
            Item::Bad { line, why } => {
                done.unreadable += 1;
                let list = match &mut rejects {
                    Some(list) => list,
                    None => rejects.insert(RejectsFile::open(&super::default_rejects(path), 0)?),
                };
                list.add(&Reject { line, reason: why })?;
            }
        }
        Ok::<_, TakeError>(())
    })
    .map_err(|e| failed(&e))?;
    if let Some(list) = &mut rejects {
        list.flush()?;
    }
    Ok(done)
}

/// SHA-256 of a file and its mapping, hexadecimal.
fn digest(path: &Path, mapping: &[u8]) -> std::io::Result<String> {
    let mut context = Context::new(&SHA256);
    context.update(mapping);
    let (mut file, mut buffer) = (File::open(path)?, vec![0; 256 << 10]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex::encode(context.finish()));
        }
        context.update(&buffer[..read]);
    }
}

fn lines(log: &AccessLog) -> Vec<String> {
    let number = |n: u64| table::number(n);
    let mut out = vec![
        format!("{}  {} ({})", log.log, table::printable(&log.name), log.format),
        format!(
            "  tells everything from {} to {}",
            table::instant(log.covers.from),
            table::instant(log.covers.to)
        ),
        format!(
            "  {} accesses, {} count as everybody's; {} names not on the roster; {} lines make no \
             sense",
            number(log.accesses),
            number(log.everybody),
            number(log.unknown),
            number(log.unreadable)
        ),
    ];
    out.push(format!("  who appears: {}", actors(&log.actors)));
    out
}

fn actors(all: &BTreeMap<cofferdam_core::CallerName, u64>) -> String {
    let mut most: Vec<_> = all.iter().collect();
    most.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let shown = most.iter().take(ACTORS).map(|(name, n)| format!("{name} {}", table::number(**n)));
    let more = most.len().saturating_sub(ACTORS);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.collect::<Vec<_>>().join(", "))
}
