//! `cofferdam import roster`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use staff::import::{TableSource, TableSummary, import_table};

use crate::command::{CommandError, Common};
use crate::output::Progress;

/// How many jurisdictions are shown. `--json` has all.
const JURISDICTIONS: usize = 8;

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

/// Brings the shop's own table. A second run brings everybody up to date.
pub async fn run(args: RosterArgs) -> Result<ExitCode, CommandError> {
    let client = args.common.client()?;
    let source = TableSource::parse(&args.from, args.table.as_deref())?;
    let mut bar = Progress::new("importing the roster");
    let progress = &mut |done, total| bar.set(done, total);
    let summary = import_table(&client, &source, &args.mapping, &args.rejects, progress).await?;
    drop(bar);
    args.common.print(&summary, lines)?;
    Ok(ExitCode::SUCCESS)
}

fn lines(summary: &TableSummary) -> Vec<String> {
    let TableSummary { created, updated, rejected, rejects, roster, seconds } = summary;
    let mut most: Vec<_> = roster.jurisdictions.iter().collect();
    most.sort_by(|a, b| b.1.cmp(a.1));
    let named: Vec<_> =
        most.iter().take(JURISDICTIONS).map(|(name, n)| format!("{name} {n}")).collect();
    vec![
        format!("created   {created}"),
        format!("updated   {updated}"),
        format!("rejected  {rejected}  see {}", rejects.display()),
        format!("on the roster: {} people; {}", roster.people, named.join(", ")),
        format!("seconds   {seconds:.1}"),
    ]
}
