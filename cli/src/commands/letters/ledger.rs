//! `cofferdam letters ledger`

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use response_api::{LedgerRow, LedgerState, ReadLedger};

use super::lines;
use crate::options::{CommandError, LetterArgs};
use crate::{columns, words};

/// `cofferdam letters ledger`
#[derive(Debug, Args)]
pub struct LedgerArgs {
    #[command(flatten)]
    of: LetterArgs,
    /// From this person on: a record number, or a place in the staff list
    #[arg(long, value_name = "N", default_value_t = 0)]
    from: u32,
    /// The most rows
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Only rows in this state
    #[arg(long, value_enum)]
    state: Option<Row>,
}

/// The state of a row, on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Row {
    /// Still to send
    Planned,
    /// The relay took it
    Accepted,
    /// It may have gone out
    InDoubt,
    /// Put off, and tried again
    Deferred,
    /// Refused for good, or returned
    Bounced,
    /// Its reader complained
    Complained,
    /// Not to be sent
    Suppressed,
    /// Put off too often
    Expired,
}

impl From<Row> for LedgerState {
    fn from(row: Row) -> Self {
        match row {
            Row::Planned => Self::Planned,
            Row::Accepted => Self::Accepted,
            Row::InDoubt => Self::InDoubt,
            Row::Deferred => Self::Deferred,
            Row::Bounced => Self::Bounced,
            Row::Complained => Self::Complained,
            Row::Suppressed => Self::Suppressed,
            Row::Expired => Self::Expired,
        }
    }
}

/// Shows rows of the ledger.
pub async fn run(args: LedgerArgs) -> Result<ExitCode, CommandError> {
    let LedgerArgs { of, from, limit, state } = args;
    let call = ReadLedger { letter: of.letter, from, limit, state: state.map(Into::into) };
    let rows = staff::call(&of.response.client()?, &call).await?;
    of.response.print(&rows, |rows| {
        let head = ["person", "state", "at", "lost", "message", "outcome"];
        columns::listing(head, rows, row, "no such row")
    })?;
    Ok(ExitCode::SUCCESS)
}

fn row(of: &LedgerRow) -> Vec<String> {
    let lost: Vec<_> = of.fields.iter().collect();
    vec![
        of.person.to_string(),
        lines::state_name(of.state).to_owned(),
        words::instant(of.at),
        words::names(&lost),
        of.message_id.clone(),
        of.outcome.clone().unwrap_or_default(),
    ]
}
