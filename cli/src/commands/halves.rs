//! `cofferdam accounts init`, and the same for payments and response: the secrets of a compartment's
//! halves of keys.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::SystemRng;
use cofferdam_custody::Share;
use cofferdam_wire::load_config;
use estate::Compartment;
use keys_client::MadeHalf;
use schemars::JsonSchema;
use serde::Serialize;

use super::keys::hand_out;
use crate::options::{CommandError, OutputArgs, QuorumArgs};
use crate::output;

/// `cofferdam <compartment> init`
#[derive(Debug, Args)]
pub struct HalvesArgs {
    /// The compartment's configuration, a TOML file with `[[halves]]`
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    quorum: QuorumArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// The halves that were made.
#[derive(Serialize, JsonSchema)]
pub struct Halves {
    /// The halves, by their first epoch. A half that existed is left out.
    made: Vec<Half>,
}

/// A half that was made.
#[derive(Serialize, JsonSchema)]
pub struct Half {
    /// The first epoch whose keys take the half.
    from_epoch: u16,
    /// The custodians' shares. They are shown only once.
    shares: Vec<String>,
}

/// Makes the secrets that are missing, and hands each custodian a share.
pub async fn run(compartment: Compartment, args: HalvesArgs) -> Result<ExitCode, CommandError> {
    let made = make(compartment, &args).await?;
    if args.output.json {
        output::json(&Halves { made: made.iter().map(result).collect() })?;
        return Ok(ExitCode::SUCCESS);
    }
    if made.is_empty() {
        output::line("Every half of the configuration was made before.");
    }
    for MadeHalf { from, shares } in &made {
        output::line(&format!("The half from epoch {} was made.", from.0));
        hand_out(shares)?;
    }
    if !made.is_empty() {
        let losing = "Make a backup of the secret, apart from those of the database: without the \
                      secret, nobody opens what is sealed from that epoch on.";
        output::note(losing);
    }
    Ok(ExitCode::SUCCESS)
}

async fn make(compartment: Compartment, args: &HalvesArgs) -> Result<Vec<MadeHalf>, CommandError> {
    let (path, quorum, rng) = (&args.config, args.quorum.quorum(), &SystemRng);
    Ok(match compartment {
        Compartment::Accounts => {
            accounts_server::make_missing_halves(&load_config(path)?, quorum, rng).await?
        }
        Compartment::Payments => {
            payments_server::make_missing_halves(&load_config(path)?, quorum, rng).await?
        }
        Compartment::Response => {
            response_server::make_missing_halves(&load_config(path)?, quorum, rng).await?
        }
        Compartment::Keys => return Err("keys has no half of its own: see keys init".into()),
    })
}

fn result(made: &MadeHalf) -> Half {
    let text = |share: &Share| share.to_text().to_string();
    Half { from_epoch: made.from.0, shares: made.shares.iter().map(text).collect() }
}
