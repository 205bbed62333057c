//! `cofferdam table`: the shop's own table of customers, for incidents about it.

mod add;
mod assumed;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use response_api::{ReadTable, TableCounts};

use crate::options::{CommandError, ResponseArgs};
use crate::{columns, words};

/// `cofferdam table`
#[derive(Debug, Subcommand)]
pub enum TableCommand {
    /// Bring the table; run it again to bring everybody up to date
    Add(add::AddArgs),
    /// Count the people of the table by jurisdiction
    List(ListArgs),
}

/// `cofferdam table list`
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    response: ResponseArgs,
}

/// Runs one of the commands.
pub async fn run(command: TableCommand) -> Result<ExitCode, CommandError> {
    match command {
        TableCommand::Add(args) => add::run(args).await,
        TableCommand::List(args) => list(args).await,
    }
}

async fn list(args: ListArgs) -> Result<ExitCode, CommandError> {
    let counts = staff::call(&args.response.client()?, &ReadTable {}).await?;
    args.response.print(&counts, lines)?;
    Ok(ExitCode::SUCCESS)
}

fn lines(counts: &TableCounts) -> Vec<String> {
    if counts.people == 0 {
        return std::iter::once("no table was brought".to_owned()).chain(doubts(counts)).collect();
    }
    let mut rows = vec![vec!["everybody".to_owned(), words::number(counts.people)]];
    rows.extend(counts.jurisdictions.iter().map(|(name, n)| vec![name.clone(), words::number(*n)]));
    let mut lines = columns::headed(["where", "people"], rows);
    lines.extend(doubts(counts));
    lines
}

/// The doubts of every scope about the table.
fn doubts(counts: &TableCounts) -> impl Iterator<Item = String> {
    let not_taken = counts.not_taken.iter().map(|(source, rows)| {
        format!("{} rows were not taken from {source}: each may be a person", words::number(*rows))
    });
    let unfinished = counts.unfinished.iter().map(|source| match source.as_str() {
        "" => "it was brought before rejects were counted: bring it again".to_owned(),
        source => format!("the import from {source} was not finished: everything counts as read"),
    });
    not_taken.chain(unfinished)
}
