//! `cofferdam keys unseal`

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_wire::load_config;
use keys_server::Config;
use keys_server::custody::{Custody, Share, ShareAnswer, send_share};
use schemars::JsonSchema;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::options::{CommandError, OutputArgs};

/// `cofferdam keys unseal`
#[derive(Debug, Args)]
pub struct UnsealArgs {
    /// The configuration of the starting keys compartment, on this machine
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

/// The answer to a custodian's share.
#[derive(Serialize, JsonSchema)]
pub struct Unsealing {
    /// The answer of `keys`, in words.
    answer: String,
    /// Whether `keys` is open now.
    open: bool,
}

/// Asks for a share and hands it over.
pub async fn run(args: UnsealArgs) -> Result<ExitCode, CommandError> {
    let config: Config = load_config(&args.config)?;
    let Custody::Custodians { socket } = &config.custody else {
        return Err("this keys is not guarded by custodians: it needs no share".into());
    };
    let share: Share = ask()?.parse()?;
    let answer = send_share(socket, &share).await?;
    let open = answer == ShareAnswer::Open;
    let taken = open || matches!(answer, ShareAnswer::Taken { .. });
    args.output.print(&Unsealing { answer: words(&answer), open }, |of| vec![of.answer.clone()])?;
    Ok(if taken { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn words(answer: &ShareAnswer) -> String {
    match answer {
        ShareAnswer::Taken { have, of } => format!("{have} of {of} shares"),
        ShareAnswer::Open => "keys is open".to_owned(),
        ShareAnswer::Unreadable { fault } => format!("refused: {fault}"),
        ShareAnswer::AnotherCeremony => {
            "refused: this share is from another ceremony than the shares before".to_owned()
        }
        ShareAnswer::GivenTwice => "refused: this share was given before".to_owned(),
        ShareAnswer::WrongKey => {
            "refused: these shares make a key that opens nothing here; keys dropped them all, so \
             begin again"
                .to_owned()
        }
    }
}

fn ask() -> Result<Zeroizing<String>, CommandError> {
    if std::io::stdin().is_terminal() {
        return Ok(Zeroizing::new(rpassword::prompt_password("Your share: ")?));
    }
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line)
}
