//! `cofferdam up`: an estate on one machine, made once and run until it is told to stop.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cofferdam_core::{SystemClock, SystemRng};
use cofferdam_wire::Shutdown;
use estate::{Estate, Plan, Running};

use crate::command::CommandError;
use crate::output;

/// `cofferdam up`
#[derive(Debug, Args)]
pub struct UpArgs {
    /// Where the estate stands, or is to be made
    #[arg(long, default_value = "./estate")]
    dir: PathBuf,
}

/// Makes or takes the estate, runs it, and stops it on SIGTERM or Ctrl-C.
pub async fn run(args: UpArgs) -> Result<ExitCode, CommandError> {
    if !Estate::exists(&args.dir) {
        output::note(&format!("Making an estate in {}", args.dir.display()));
        estate::create(&args.dir, &Plan::default(), &SystemClock, &SystemRng).await?;
    }
    let estate = Estate::open(&args.dir)?;
    let mut running = Running::start(&estate, &std::env::current_exe()?).await?;
    show(&estate);
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

fn show(estate: &Estate) {
    let at = &estate.addresses;
    output::line(&format!("The estate in {} is up:", estate.dir.display()));
    for (name, place) in [
        ("keys", &at.keys),
        ("accounts", &at.accounts),
        ("payments", &at.payments),
        ("response", &at.response),
        ("notice", &at.notice),
        ("mail sink", &at.relay),
    ] {
        output::line(&format!("  {name:9} {place}"));
    }
    output::line("Certificates of the callers stand in callers/. Ctrl-C stops it.");
}
