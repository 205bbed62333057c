//! `cofferdam up`: an estate on one machine, made by the first run, and run until SIGTERM or
//! Ctrl-C.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{Clock as _, SystemClock, SystemRng};
use cofferdam_wire::Shutdown;
use estate::{Estate, Plan, Running, renew_outdated};
use schemars::JsonSchema;
use serde::Serialize;

use crate::options::{CommandError, EstateArgs, OutputArgs};
use crate::output;

/// `cofferdam up`
#[derive(Debug, Args)]
pub struct UpArgs {
    #[command(flatten)]
    estate: EstateArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// The addresses at which an estate listens.
#[derive(Serialize, JsonSchema)]
pub struct Listening {
    /// The directory of the estate.
    dir: PathBuf,
    /// The addresses of the compartments, one field each.
    keys: String,
    accounts: String,
    payments: String,
    response: String,
    /// The address of the public notice.
    notice: String,
    /// The address of the mail sink.
    mail_sink: String,
}

/// Makes the estate if there is none, runs it, and stops it on SIGTERM or Ctrl-C.
pub async fn run(args: UpArgs) -> Result<ExitCode, CommandError> {
    let dir = args.estate.dir;
    if !Estate::exists(&dir) {
        output::note(&format!("Making an estate in {}", dir.display()));
        estate::create(&dir, &Plan::default(), &SystemClock, &SystemRng).await?;
    }
    let estate = Estate::open(&dir)?;
    let renewed = renew_outdated(&estate, SystemClock.now())?;
    if !renewed.is_empty() {
        output::note(&format!("Issued new certificates to {}", renewed.join(", ")));
    }
    let mut running = Running::start(&estate, &std::env::current_exe()?).await?;
    args.output.print(&listening(&estate), lines)?;
    tokio::select! {
        () = Shutdown.requested() => {
            output::note("Stopping the estate");
            running.stop().await;
            Ok(ExitCode::SUCCESS)
        }
        died = running.wait_for_death() => {
            running.stop().await;
            Err(died.into())
        }
    }
}

fn listening(estate: &Estate) -> Listening {
    let at = &estate.addresses;
    Listening {
        dir: estate.dir.clone(),
        keys: at.keys.clone(),
        accounts: at.accounts.clone(),
        payments: at.payments.clone(),
        response: at.response.clone(),
        notice: at.notice.clone(),
        mail_sink: at.relay.clone(),
    }
}

fn lines(of: &Listening) -> Vec<String> {
    let places = [
        ("keys", &of.keys),
        ("accounts", &of.accounts),
        ("payments", &of.payments),
        ("response", &of.response),
        ("notice", &of.notice),
        ("mail sink", &of.mail_sink),
    ];
    let mut out = vec![format!("The estate in {} is up:", of.dir.display())];
    out.extend(places.map(|(name, place)| format!("  {name:9} {place}")));
    out.push("Certificates of the callers stand in callers/. Ctrl-C stops it.".to_owned());
    out
}
