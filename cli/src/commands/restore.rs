//! `cofferdam accounts restore`, and the same for payments and response: what a database that is
//! not the newest lacks, and the decision to go on with it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{SystemRng, Timestamp};
use cofferdam_wire::load_config;
use estate::Compartment;
use keys_api::Standing;
use keys_client::StateDifference;
use schemars::JsonSchema;
use serde::Serialize;

use super::serve::clock;
use crate::confirm::Confirm;
use crate::options::{CommandError, OutputArgs};
use crate::words;

/// `cofferdam <compartment> restore`
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The compartment's configuration, a TOML file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Go on with this database, and give up what the newest one held beyond it
    #[arg(long)]
    accept: bool,
    #[command(flatten)]
    confirm: Confirm,
    #[command(flatten)]
    output: OutputArgs,
}

/// The difference between a database and the newest one.
#[derive(Serialize, JsonSchema)]
pub struct Restored {
    /// The standing of the database before the command.
    standing: Standing,
    /// Whether the database was accepted as the newest.
    accepted: bool,
    /// The last write of the database; none for an empty one.
    last_write: Option<Timestamp>,
    /// The last write of the newest database, as far as keys knows it.
    newest_write: Option<Timestamp>,
    /// The first record number that this database does not know.
    numbers: u32,
    /// The number behind the last record number that was given out.
    numbers_given: u32,
}

/// Compares the database of a compartment with the newest one, and accepts it with `--accept`.
pub async fn run(compartment: Compartment, args: RestoreArgs) -> Result<ExitCode, CommandError> {
    let found = restore(compartment, &args, false).await?;
    let mut accepted = false;
    if let Some(difference) = found.filter(|_| args.accept) {
        args.confirm.ask(&step(compartment, &difference))?;
        restore(compartment, &args, true).await?;
        accepted = true;
    }
    args.output.print(&restored(found, accepted), |of| lines(compartment, of))?;
    Ok(ExitCode::SUCCESS)
}

async fn restore(
    compartment: Compartment,
    args: &RestoreArgs,
    accept: bool,
) -> Result<Option<StateDifference>, CommandError> {
    let (clock, rng, path) = (clock(), &SystemRng, &args.config);
    Ok(match compartment {
        Compartment::Accounts => {
            accounts_server::restore(load_config(path)?, clock, rng, accept).await?
        }
        Compartment::Payments => {
            payments_server::restore(load_config(path)?, clock, rng, accept).await?
        }
        Compartment::Response => {
            response_server::restore(load_config(path)?, clock, rng, accept).await?
        }
        Compartment::Keys => return Err("keys compares its database with its log itself".into()),
    })
}

fn restored(found: Option<StateDifference>, accepted: bool) -> Restored {
    let Some(StateDifference { standing, beat, newest, numbers, given }) = found else {
        return Restored {
            standing: Standing::Newest,
            accepted,
            last_write: None,
            newest_write: None,
            numbers: 0,
            numbers_given: 0,
        };
    };
    Restored {
        standing,
        accepted,
        last_write: beat,
        newest_write: newest,
        numbers,
        numbers_given: given,
    }
}

fn step(compartment: Compartment, of: &StateDifference) -> Vec<String> {
    let mut step =
        vec![format!("go on with this database of {compartment}, and for ever give up:")];
    step.extend(losses(of.beat, of.newest, of.given.saturating_sub(of.numbers)));
    step
}

fn losses(ours: Option<Timestamp>, newest: Option<Timestamp>, numbers: u32) -> Vec<String> {
    let from = ours.map_or_else(|| "the beginning".to_owned(), |at| at.to_string());
    let to = newest.map_or_else(|| "its end".to_owned(), |at| at.to_string());
    vec![
        format!("  everything that was written from {from} to {to}"),
        format!(
            "  {} record numbers: every scope counts them as unknown",
            words::number(numbers.into())
        ),
    ]
}

fn lines(compartment: Compartment, of: &Restored) -> Vec<String> {
    let found = match of.standing {
        Standing::Newest => return vec![format!("The database of {compartment} is the newest.")],
        Standing::Older => "an older copy",
        Standing::Missing => "empty",
        Standing::GivenUp => "one that was given up for another",
    };
    let numbers = of.numbers_given.saturating_sub(of.numbers);
    let mut out = vec![format!("The database of {compartment} is {found}. What is lost with it:")];
    out.extend(losses(of.last_write, of.newest_write, numbers));
    let start = match of.standing {
        // An empty database knows no half of keys yet.
        Standing::Missing => format!("Run `cofferdam {compartment} init`, and start {compartment}"),
        _ => format!("Start {compartment}"),
    };
    out.push(if of.accepted {
        format!("It was accepted. {start}; the next record number is {}.", of.numbers_given)
    } else {
        "Put the newest database back, with the files that end in -wal and -shm. If it is lost, add \
         --accept."
            .to_owned()
    });
    out
}
