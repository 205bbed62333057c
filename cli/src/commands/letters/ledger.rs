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
    /// The first person: a record number, or a place in the staff list
    #[arg(long, value_name = "N", default_value_t = 0)]
    from: u32,
    /// The most rows to show
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Show only rows in this state
    #[arg(long, value_enum)]
    state: Option<Row>,
}

/// The state of a ledger row, as an option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Row {
    /// Not sent yet
    Planned,
    /// Accepted by the relay
    Accepted,
    /// In doubt: the letter may have gone out, and no outcome is recorded
    InDoubt,
    /// Deferred by the relay or the receiver, to be tried again
    Deferred,
    /// Refused for good, or returned
    Bounced,
    /// Delivered, and its reader complained
    Complained,
    /// Suppressed: this person gets no letter
    Suppressed,
    /// Given up after too many deferrals
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
