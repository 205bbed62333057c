//! `cofferdam keys init`

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::SystemRng;
use cofferdam_custody::Share;
use cofferdam_wire::load_config;
use keys_api::Policy;
use keys_server::Config;
use keys_server::ceremony::{self, Decided, Made};
use schemars::JsonSchema;
use serde::Serialize;

use crate::options::{CommandError, OutputArgs, QuorumArgs};
use crate::output;

/// `cofferdam keys init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The configuration of keys, a TOML file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The first policy, a TOML file: approvers, callers, grants, budgets
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    #[command(flatten)]
    quorum: QuorumArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// The result of the ceremony.
#[derive(Serialize, JsonSchema)]
pub struct Initialised {
    /// Whether the secrets existed already and this instance joined them.
    joined: bool,
    /// The verifier key of the release log.
    log_key: String,
    /// The custodians' shares. They are shown only once.
    shares: Vec<String>,
}

/// Holds the ceremony, and hands each custodian a share.
pub async fn run(args: InitArgs) -> Result<ExitCode, CommandError> {
    let config: Config = load_config(&args.config)?;
    let policy: Policy = load_config(&args.policy)?;
    let decided = Decided { policy, quorum: args.quorum.quorum(), decoy_key: None };
    let made = ceremony::init(&config, decided, &SystemRng).await?;
    if made.joined {
        output::note("The secrets were made before; this instance shares them.");
    }
    if args.output.json {
        let shares = made.shares.iter().map(|share| share.to_text().to_string()).collect();
        let Made { joined, log_key, .. } = made;
        output::json(&Initialised { joined, log_key, shares })?;
        return Ok(ExitCode::SUCCESS);
    }
    hand_out(&made.shares)?;
    output::note("The log's verifier key, for response.toml and whoever checks the log:");
    output::line(&made.log_key);
    Ok(ExitCode::SUCCESS)
}

/// Shows each share once. On a terminal, one custodian at a time sees the screen, which is wiped
/// before the next one comes. Otherwise the shares are printed one a line.
pub fn hand_out(shares: &[Share]) -> Result<(), CommandError> {
    let terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    for (n, share) in (1..).zip(shares) {
        let text = share.to_text();
        if !terminal {
            output::line(&format!("share {n} of {}: {}", shares.len(), *text));
            continue;
        }
        wait_for(&format!("Custodian {n} of {}, alone at the screen: press Enter.", shares.len()))?;
        output::line(&text);
        wait_for("Written down? It is not shown again. Press Enter.")?;
        output::line("\x1b[3J\x1b[H\x1b[2J");
    }
    Ok(())
}

fn wait_for(question: &str) -> Result<(), CommandError> {
    output::note(question);
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(())
}
