//! `cofferdam epoch`: the epochs of each domain's master key.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use cofferdam_core::Reseal;
use cofferdam_wire::Client;
use keys_api::DomainEpochs;
use response_api::DomainState;
use staff::keys::epochs;

use crate::options::{CommandError, ResponseArgs};
use crate::output::Progress;
use crate::{columns, words};

/// The time between two reads of a compartment's progress.
const READ_EVERY: Duration = Duration::from_millis(500);

/// The longest time for which a compartment may report trouble before the command gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// `cofferdam epoch`
#[derive(Debug, Subcommand)]
pub enum EpochCommand {
    /// List the epochs of each domain, and the progress of re-sealing
    List(ListArgs),
}

/// `cofferdam epoch list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Wait until every record is sealed under the current epoch of its domain
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    response: ResponseArgs,
}

/// Lists the epochs, with `--wait` after every record has moved to the current one.
pub async fn run(command: EpochCommand) -> Result<ExitCode, CommandError> {
    let EpochCommand::List(args) = command;
    let client = args.response.client()?;
    let mut states = epochs(&client).await?;
    if args.wait {
        states = wait(&client, states).await?;
    }
    args.response.print(&states, |states| lines(states))?;
    Ok(ExitCode::SUCCESS)
}

/// Waits until every record is sealed under the current epoch of its domain.
async fn wait(
    client: &Client,
    mut states: Vec<DomainState>,
) -> Result<Vec<DomainState>, CommandError> {
    let mut bar = Progress::new("records re-sealed");
    let total = count(&states, |of| of.records);
    let mut since = Instant::now();
    while !states.iter().all(is_done) {
        match states.iter().find_map(|of| of.reseal.as_ref()?.trouble.clone()) {
            // A compartment tries again by itself, so trouble may pass.
            Some(trouble) if since.elapsed() > PATIENCE => {
                return Err(format!("re-sealing makes no progress: {trouble}").into());
            }
            Some(_) => {}
            None => since = Instant::now(),
        }
        bar.set(count(&states, |of| of.done_before), total);
        tokio::time::sleep(READ_EVERY).await;
        states = epochs(client).await?;
    }
    Ok(states)
}

fn count(states: &[DomainState], of: impl Fn(&Reseal) -> u64) -> u64 {
    states.iter().filter_map(|state| state.reseal.as_ref().map(&of)).sum()
}

/// Whether the compartment knows of the current epoch and has moved everything to it.
fn is_done(state: &DomainState) -> bool {
    let current = serde_json::from_value::<DomainEpochs>(state.epochs.clone()).map(|e| e.current);
    let reseal = state.reseal.as_ref();
    reseal.is_none_or(|of| of.is_done() && current.is_ok_and(|epoch| of.epoch == Some(epoch)))
}

fn lines(states: &[DomainState]) -> Vec<String> {
    let row = |state: &DomainState| {
        let epochs = serde_json::from_value::<DomainEpochs>(state.epochs.clone()).ok();
        let current = epochs.as_ref().map_or_else(String::new, |of| of.current.0.to_string());
        let readable = epochs.map_or_else(String::new, |of| {
            of.readable.iter().map(|e| e.0.to_string()).collect::<Vec<_>>().join(", ")
        });
        let moved = state.reseal.as_ref().map_or_else(String::new, |of| {
            let of_all =
                format!("{} of {}", words::number(of.done_before), words::number(of.records));
            if is_done(state) { format!("all {}", words::number(of.records)) } else { of_all }
        });
        vec![state.domain.to_string(), current, readable, moved]
    };
    columns::headed(["domain", "current", "readable", "records moved"], states.iter().map(row))
}
