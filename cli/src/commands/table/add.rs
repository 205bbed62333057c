//! `cofferdam table add`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use staff::import::{TableSource, TableSummary, import_table};

use super::assumed;
use crate::options::{CommandError, ResponseArgs};
use crate::output::{self, Progress};
use crate::words;

/// The most jurisdictions that are shown. `--json` has all.
const JURISDICTIONS: usize = 8;

/// `cofferdam table add`
#[derive(Debug, Args)]
pub struct AddArgs {
    /// A file that ends in .csv, .tsv, .txt, .jsonl or .parquet, a directory of such files, or a
    /// database, as `postgres://USER@HOST/NAME`
    #[arg(long, value_name = "FILE|URL")]
    from: String,
    /// The table to read from the database, as public.customer
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// The mapping, a TOML file that explains the columns (see docs/imports.md)
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,
    /// The list of rejected rows, by number and reason
    #[arg(long, value_name = "FILE", default_value = "table.rejects.csv")]
    rejects: PathBuf,
    /// An earlier source that this import takes the place of, as `table list` names it: the file
    /// under another name, say (journalled)
    #[arg(long, value_name = "SOURCE")]
    replaces: Option<String>,
    #[command(flatten)]
    response: ResponseArgs,
}

/// Brings the shop's own table.
pub async fn run(args: AddArgs) -> Result<ExitCode, CommandError> {
    let client = args.response.client()?;
    let source = TableSource::parse(&args.from, args.table.as_deref())?;
    let mut bar = Progress::new("importing the table");
    let progress = &mut |done, total| bar.set(done, total);
    let AddArgs { mapping, rejects, replaces, response, .. } = args;
    let summary = import_table(&client, &source, replaces, &mapping, &rejects, progress).await?;
    drop(bar);
    response.print(&summary, lines)?;
    output::next("cofferdam access-log plan FILE --mapping FILE");
    Ok(ExitCode::SUCCESS)
}

fn lines(summary: &TableSummary) -> Vec<String> {
    let TableSummary { created, updated, rejected, rejects, table, seconds, .. } = summary;
    let places = words::largest(&table.jurisdictions, JURISDICTIONS).unwrap_or_default();
    let mut lines = vec![
        format!("created   {}", words::number(*created)),
        format!("updated   {}", words::number(*updated)),
        format!("rejected  {}  see {}", words::number(*rejected), rejects.display()),
    ];
    if *rejected > 0 {
        lines.push("each rejected row may be a person: scopes say so until it is taken".to_owned());
    }
    lines.extend(assumed::lines(summary));
    lines.push(format!("in the table: {} people; {places}", words::number(table.people)));
    lines.push(format!("seconds   {seconds:.1}"));
    lines
}
