//! `cofferdam <compartment> unseal`: a custodian gives a share to a starting compartment.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use cofferdam_custody::{Custody, Share, ShareAnswer, send_share};
use cofferdam_wire::load_config;
use estate::Compartment;
use keys_client::HalfConfig;
use schemars::JsonSchema;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::options::{CommandError, OutputArgs};

/// `cofferdam <compartment> unseal`
#[derive(Debug, Args)]
pub struct UnsealArgs {
    /// The configuration of the starting compartment, on this machine
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

/// The answer to a custodian's share.
#[derive(Serialize, JsonSchema)]
pub struct Unsealing {
    /// The answer of the compartment, in words.
    answer: String,
    /// Whether the secret is open now. The compartment may wait for another one.
    open: bool,
}

/// Asks for a share and hands it over.
pub async fn run(compartment: Compartment, args: UnsealArgs) -> Result<ExitCode, CommandError> {
    let sockets = sockets(compartment, &args.config)?;
    if sockets.is_empty() {
        let needless =
            format!("custodians keep no secret of this {compartment}: it needs no share");
        return Err(needless.into());
    }
    let share: Share = ask()?.parse()?;
    let answer = send_to_first(&sockets, &share).await?;
    let open = answer == ShareAnswer::Open;
    let taken = open || matches!(answer, ShareAnswer::Taken { .. });
    args.output.print(&Unsealing { answer: words(compartment, &answer), open }, |of| {
        vec![of.answer.clone()]
    })?;
    Ok(if taken { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Gives a share to the secret that the compartment waits for: of several, it opens one after the other,
/// and a socket may be left from an earlier start.
async fn send_to_first(sockets: &[PathBuf], share: &Share) -> Result<ShareAnswer, CommandError> {
    let mut last = Err("no socket".into());
    for socket in sockets {
        match send_share(socket, share).await {
            Ok(answer) => return Ok(answer),
            Err(e) => last = Err(e.into()),
        }
    }
    last
}

/// The sockets at which a compartment takes shares.
fn sockets(compartment: Compartment, config: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let of_halves = |halves: Vec<HalfConfig>| halves.into_iter().map(|half| half.custody).collect();
    let custodies: Vec<Custody> = match compartment {
        Compartment::Keys => vec![load_config::<keys_server::Config>(config)?.custody],
        Compartment::Accounts => of_halves(load_config::<accounts_server::Config>(config)?.halves),
        Compartment::Payments => of_halves(load_config::<payments_server::Config>(config)?.halves),
        Compartment::Response => of_halves(load_config::<response_server::Config>(config)?.halves),
    };
    let socket = |custody| match custody {
        Custody::Custodians { socket } => Some(socket),
        _ => None,
    };
    Ok(custodies.into_iter().filter_map(socket).collect())
}

fn words(compartment: Compartment, answer: &ShareAnswer) -> String {
    match answer {
        ShareAnswer::Taken { have, of } => format!("{have} of {of} shares"),
        ShareAnswer::Open => format!("the secret of {compartment} is open"),
        ShareAnswer::Unreadable { fault } => format!("refused: {fault}"),
        ShareAnswer::AnotherCeremony => {
            "refused: this share is from another ceremony than the shares before".to_owned()
        }
        ShareAnswer::GivenTwice => "refused: this share was given before".to_owned(),
        ShareAnswer::WrongKey => {
            format!(
                "refused: these shares make a key that opens nothing here; {compartment} dropped \
                 them all, so begin again"
            )
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
