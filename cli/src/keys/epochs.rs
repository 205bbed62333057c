//! `cofferdam keys epochs`

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use cofferdam_wire::Client;
use keys_api::DomainEpochs;
use response_api::{DomainState, KeysView, ReadKeys};

use crate::CommandError;
use crate::incident::{Common, table};
use crate::output::Progress;

/// Between two looks at a compartment that re-seals.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long a compartment may be in trouble before it is told.
const PATIENCE: Duration = Duration::from_secs(30);

/// `cofferdam keys epochs`
#[derive(Debug, Args)]
pub struct EpochsArgs {
    /// Wait until every record is sealed under the current epoch
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    common: Common,
}

/// Shows the epochs.
pub async fn run(args: EpochsArgs) -> Result<ExitCode, CommandError> {
    let client = args.common.client()?;
    let mut states = read(&client).await?;
    if args.wait {
        states = wait(&client, states).await?;
    }
    args.common.print(&states, |states| lines(states))?;
    Ok(ExitCode::SUCCESS)
}

async fn read(client: &Client) -> Result<Vec<DomainState>, CommandError> {
    let states = client.call(&ReadKeys { view: KeysView::Epochs }).await?;
    Ok(serde_json::from_value(states)?)
}

async fn wait(
    client: &Client,
    mut states: Vec<DomainState>,
) -> Result<Vec<DomainState>, CommandError> {
    let total = |states: &[DomainState]| count(states, |of| of.records);
    let mut bar = Progress::new("records re-sealed", total(&states));
    let mut since = Instant::now();
    while !states.iter().all(is_done) {
        match states.iter().find_map(|of| of.reseal.as_ref()?.trouble.clone()) {
            // A compartment tries again by itself: what passes is no trouble.
            Some(trouble) if since.elapsed() > PATIENCE => {
                bar.finish();
                return Err(format!("re-sealing does not go on: {trouble}").into());
            }
            Some(_) => {}
            None => since = Instant::now(),
        }
        bar.set(count(&states, |of| of.done_before));
        tokio::time::sleep(LOOK_EVERY).await;
        states = read(client).await?;
    }
    bar.finish();
    Ok(states)
}

fn count(states: &[DomainState], of: impl Fn(&cofferdam_core::Reseal) -> u64) -> u64 {
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
                format!("{} of {}", table::number(of.done_before), table::number(of.records));
            if is_done(state) { format!("all {}", table::number(of.records)) } else { of_all }
        });
        vec![state.domain.to_string(), current, readable, moved]
    };
    let head = ["domain", "current", "readable", "records moved"].map(str::to_owned).to_vec();
    let rows: Vec<_> = std::iter::once(head).chain(states.iter().map(row)).collect();
    table::lines(&rows)
}
