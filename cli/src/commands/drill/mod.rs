//! `cofferdam drill`: replays the breach on a fresh estate, and shows the findings.

mod lines;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::{Args, ValueEnum};
use cofferdam_wire::Shutdown;
use drill::{Drill, DrillReport, Observer, Options, Scenario};

use crate::options::{CommandError, OutputArgs};
use crate::output::{self, Progress};

/// `cofferdam drill`
#[derive(Debug, Args)]
pub struct DrillArgs {
    /// The number of synthetic customers
    #[arg(long, value_name = "N", default_value_t = 20_000,
          value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    customers: u32,
    /// The seed; the same seed makes the same customers, decoys, traffic and theft
    #[arg(long, value_name = "S", default_value_t = 2012)]
    seed: u64,
    /// Import the customers from this file, as `customers add` does; a few synthetic ones are
    /// added, and only they sign in
    #[arg(long, value_name = "CSV", conflicts_with = "customers")]
    file: Option<PathBuf>,
    /// The host that falls
    #[arg(long, value_enum, default_value = "app", value_name = "HOST")]
    fallen: Host,
    /// Let the app servers read customers who are not signed in there, within their budgets
    #[arg(long)]
    without_presence: bool,
    /// Run the same theft against a conventional shop too (one database, no compartments, no
    /// budgets), and show both side by side
    #[arg(long, conflicts_with = "file")]
    flat: bool,
    /// Hand the letters to this SMTP relay instead of the built-in mail sink
    #[arg(long, value_name = "HOST:PORT")]
    relay: Option<String>,
    /// The directory for the estate [default: a temporary directory, removed at the end]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Leave the estate running, and keep its directory
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// The host that falls, as an option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Host {
    /// An app server: the thief has its certificate
    App,
    /// The accounts compartment: the thief sees its traffic, and asks for keys in its name
    Accounts,
    /// The payments compartment: the thief asks for the keys of cards in its name
    Payments,
    /// The keys compartment: the thief copies its files
    Keys,
    /// The database of accounts: the thief copies its files
    Database,
    /// The response compartment, while letters are sent
    Response,
    /// The mail relay, while letters are sent
    Relay,
}

impl From<Host> for Scenario {
    fn from(host: Host) -> Self {
        match host {
            Host::App => Self::App,
            Host::Accounts => Self::Accounts,
            Host::Payments => Self::Payments,
            Host::Keys => Self::Keys,
            Host::Database => Self::Database,
            Host::Response => Self::Response,
            Host::Relay => Self::Relay,
        }
    }
}

/// Runs the drill. Fails unless every check holds.
pub async fn run(args: DrillArgs) -> Result<ExitCode, CommandError> {
    let DrillArgs { customers, seed, file, fallen, flat, relay, dir, keep, output, .. } = args;
    let (fallen, presence) = (fallen.into(), !args.without_presence);
    let options = Options { customers, seed, file, fallen, presence, flat, relay, dir, keep };
    let terminal = Terminal::default();
    let mut drill = Drill::start(&options, &std::env::current_exe()?, &terminal).await?;
    let shown = tokio::select! {
        replayed = drill.replay() => {
            replayed.map_err(CommandError::from).and_then(|report| show(&output, report))
        }
        () = Shutdown.requested() => Err("stopped before the end".into()),
    };
    if shown.is_ok() && keep {
        stay(&mut drill).await;
    }
    drill.stop().await;
    shown
}

fn show(output: &OutputArgs, report: &DrillReport) -> Result<ExitCode, CommandError> {
    output.print(report, lines::lines)?;
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Leaves the estate up until somebody stops it.
async fn stay(drill: &mut Drill<'_>) {
    output::note(&format!("The estate in {} stays up; Ctrl-C stops it.", drill.dir().display()));
    tokio::select! {
        () = Shutdown.requested() => {}
        died = drill.wait_for_death() => output::note(&died.to_string()),
    }
}

/// Shows the drill on standard error.
#[derive(Default)]
struct Terminal {
    /// The progress bar of the current step.
    bar: Mutex<Option<Progress>>,
}

impl Observer for Terminal {
    fn note(&self, line: &str) {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner).take();
        output::note(line);
    }

    fn progress(&self, step: &'static str, done: u64, total: u64) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        bar.get_or_insert_with(|| Progress::new(step)).set(done, total);
    }
}
