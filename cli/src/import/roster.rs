//! `cofferdam import roster`: brings the shop's own table of customers to `response`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use cofferdam_core::RosterPerson;
use cofferdam_foreign::roster::{
    RosterMapping, TableError, TableFormat, TakeRow, read_csv, read_file,
};
use futures_util::TryStreamExt as _;
use response_api::{FinishRoster, ImportRoster, MAX_PAGE, RosterCounts};
use serde::Serialize;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::sync::mpsc::{Receiver, channel};

use super::pages::{self, Pages, TakeError};
use super::rejects::{Reject, RejectsFile};
use crate::CommandError;
use crate::incident::Common;
use crate::output::Progress;

/// `cofferdam import roster`
#[derive(Debug, Args)]
pub struct RosterArgs {
    /// A file that ends in .csv, .jsonl or .parquet; or a database, as `postgres://USER@HOST/NAME`
    #[arg(long, value_name = "FILE|URL")]
    from: String,
    /// The table in that database, as public.customer
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Which columns mean what: a TOML file, see docs/imports.md
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,
    /// Where rows that were not imported are listed, by number and reason
    #[arg(long, value_name = "FILE", default_value = "roster.rejects.csv")]
    rejects: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// What an import of a roster came to.
#[derive(Debug, Serialize)]
struct Summary {
    created: u64,
    updated: u64,
    rejected: u64,
    rejects: PathBuf,
    roster: RosterCounts,
    seconds: f64,
}

/// Runs the command. Run again, it brings everybody up to date.
pub async fn run(args: RosterArgs) -> Result<ExitCode, CommandError> {
    let started = Instant::now();
    let client = args.common.client()?;
    let mapping: RosterMapping = super::mapping(&args.mapping)?;
    let (mut people, reading) = start(&args, mapping).await?;
    let mut progress = Progress::new("importing the roster", 0);
    let (mut created, mut updated) = (0, 0);
    while let Some(page) = people.recv().await {
        for page in distinct(page) {
            let done = client.call(&ImportRoster { people: page }).await?;
            created += done.created;
            updated += done.updated;
        }
        progress.set(created + updated);
    }
    let rejected = reading.await??;
    progress.finish();
    let roster = client.call(&FinishRoster {}).await?;
    let seconds = started.elapsed().as_secs_f64();
    let summary = Summary { created, updated, rejected, rejects: args.rejects, roster, seconds };
    args.common.print(&summary, lines)?;
    Ok(ExitCode::SUCCESS)
}

/// A key that stands twice on a page goes on the next one: the later row counts.
fn distinct(page: Vec<RosterPerson>) -> Vec<Vec<RosterPerson>> {
    let mut pages: Vec<(std::collections::BTreeSet<String>, Vec<RosterPerson>)> = Vec::new();
    for person in page {
        let fits = pages.last().is_some_and(|(keys, _)| !keys.contains(&person.key));
        if !fits {
            pages.push(Default::default());
        }
        if let Some((keys, people)) = pages.last_mut() {
            keys.insert(person.key.clone());
            people.push(person);
        }
    }
    pages.into_iter().map(|(_, people)| people).collect()
}

fn lines(summary: &Summary) -> Vec<String> {
    let Summary { created, updated, rejected, rejects, roster, seconds } = summary;
    let mut most: Vec<_> = roster.jurisdictions.iter().collect();
    most.sort_by(|a, b| b.1.cmp(a.1));
    let named: Vec<_> = most.iter().take(8).map(|(name, n)| format!("{name} {n}")).collect();
    vec![
        format!("created   {created}"),
        format!("updated   {updated}"),
        format!("rejected  {rejected}  see {}", rejects.display()),
        format!("on the roster: {} people; {}", roster.people, named.join(", ")),
        format!("seconds   {seconds:.1}"),
    ]
}

type Reading = tokio::task::JoinHandle<Result<u64, CommandError>>;

/// Starts to read the table; the reader ends with the number of rejected rows.
async fn start(
    args: &RosterArgs,
    mapping: RosterMapping,
) -> Result<(Receiver<Vec<RosterPerson>>, Reading), CommandError> {
    let rejects = args.rejects.clone();
    if args.from.starts_with("postgres://") || args.from.starts_with("postgresql://") {
        let table = args.table.clone().ok_or("--table: which table of the database?")?;
        let rows = copy_out(&args.from, &table, &mapping).await?;
        return Ok(pages::read(MAX_PAGE, move |pages| {
            take(&rejects, pages, |take| read_csv(&mapping, rows, take))
                .map_err(|e| format!("{table}: {e}").into())
        }));
    }
    let path = PathBuf::from(&args.from);
    let format = TableFormat::of(&path).ok_or_else(|| {
        format!("{}: a table's file ends in .csv, .jsonl or .parquet", path.display())
    })?;
    let file = File::open(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(pages::read(MAX_PAGE, move |pages| {
        take(&rejects, pages, |take| read_file(&mapping, format, file, take))
            .map_err(|e| format!("{}: {e}", path.display()).into())
    }))
}

/// Takes rows, and lists those that can't be taken.
fn take(
    rejects: &Path,
    pages: &mut Pages<RosterPerson>,
    read: impl FnOnce(TakeRow<'_, TakeError>) -> Result<(), TableError<TakeError>>,
) -> Result<u64, TableError<TakeError>> {
    let mut list = RejectsFile::open(rejects, 0).map_err(taker)?;
    read(&mut |line, row| {
        match row {
            Ok(person) => pages.push(person)?,
            Err(e) => list.add(&Reject { line, reason: e.to_string() })?,
        }
        Ok(())
    })?;
    list.flush().map_err(taker)?;
    Ok(list.count())
}

fn taker(error: super::ImportError) -> TableError<TakeError> {
    TableError::Taker(error.into())
}

/// The table's columns as CSV, as they come.
async fn copy_out(
    url: &str,
    table: &str,
    mapping: &RosterMapping,
) -> Result<ChannelReader, CommandError> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let columns: Vec<_> = mapping.columns().into_iter().map(quoted).collect();
    let table: Vec<_> = table.split('.').map(quoted).collect();
    let statement = format!(
        "COPY (SELECT {} FROM {}) TO STDOUT (FORMAT csv, HEADER)",
        columns.join(", "),
        table.join(".")
    );
    // The URL may hold a password: it stands in no error.
    let mut connection =
        PgConnection::connect(url).await.map_err(|e| format!("the shop's database: {e}"))?;
    let (to, from) = channel(16);
    tokio::spawn(async move {
        let copied = async {
            let mut rows = connection.copy_out_raw(&statement).await?;
            while let Some(bytes) = rows.try_next().await? {
                if to.send(Ok(bytes.to_vec())).await.is_err() {
                    break;
                }
            }
            Ok::<_, sqlx::Error>(())
        };
        if let Err(e) = copied.await {
            // Who reads hears of it, or is gone.
            let _ = to.send(Err(io::Error::other(e.to_string()))).await;
        }
    });
    Ok(ChannelReader { from, rest: io::Cursor::new(Vec::new()) })
}

/// What comes through a channel, to be read on a thread that may wait.
struct ChannelReader {
    from: Receiver<io::Result<Vec<u8>>>,
    rest: io::Cursor<Vec<u8>>,
}

impl Read for ChannelReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.rest.read(out)?;
            if read > 0 || out.is_empty() {
                return Ok(read);
            }
            match self.from.blocking_recv() {
                Some(more) => self.rest = io::Cursor::new(more?),
                None => return Ok(0),
            }
        }
    }
}
