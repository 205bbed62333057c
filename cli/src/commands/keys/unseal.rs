//! `cofferdam keys unseal`

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_wire::load_config;
use keys_server::Config;
use keys_server::custody::{Custody, Share, send_share};
use schemars::JsonSchema;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::options::{CommandError, OutputArgs};

/// `cofferdam keys unseal`
#[derive(Debug, Args)]
pub struct UnsealArgs {
    /// The configuration of the keys that is starting, on this machine
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

/// What became of a share.
#[derive(Serialize, JsonSchema)]
pub struct Unsealing {
    /// What keys answered.
    answer: String,
    /// Whether keys is open now.
    open: bool,
}

/// Asks for a share and hands it over.
pub async fn run(args: UnsealArgs) -> Result<ExitCode, CommandError> {
    let config: Config = load_config(&args.config)?;
    let Custody::Custodians { socket } = &config.custody else {
        return Err("this keys is not guarded by custodians: it needs no share".into());
    };
    let share: Share = ask()?.parse()?;
    let (answer, open) = send_share(socket, &share).await?;
    let taken = open || answer.ends_with("shares");
    args.output.print(&Unsealing { answer, open }, |of| vec![of.answer.clone()])?;
    Ok(if taken { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn ask() -> Result<Zeroizing<String>, CommandError> {
    if std::io::stdin().is_terminal() {
        return Ok(Zeroizing::new(rpassword::prompt_password("Your share: ")?));
    }
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line)
}
