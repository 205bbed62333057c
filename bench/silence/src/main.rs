//! `bench-silence`: measures the calls of staff, app servers, visitors and the mail server, while
//! thousands of connections misbehave in one manner at one listener of an estate. A call may take
//! three times as long as in quiet time, at the 99th percentile, and none may fail.
//!
//! May touch: loopback and a temporary directory. The crowd is a process of its own with the lowest
//! priority, as the attacker's machine would be another one. It stops by itself. Called by: people
//! who measure (see `docs/performance.md`).
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints its figures, and fails if it can't be made"
)]

mod calls;
mod crowd;
mod manners;
mod site;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use calls::{Figures, Kind};
use crowd::Crowd;
use manners::{Listener, Manner};
use site::Site;

/// The most that a call may take, in multiples of the quiet time, at the 99th percentile.
const LIMIT: f64 = 3.0;
/// The time in which connections of the last crowd end, before anything else is measured.
const CALM: Duration = Duration::from_secs(2);

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Hidden>,
    #[command(flatten)]
    measure: Measure,
}

#[derive(Debug, Subcommand)]
enum Hidden {
    /// Misbehaves at a listener until it is killed. The measurement starts this itself.
    #[command(hide = true)]
    Crowd(Crowd),
}

/// Measures calls while connections misbehave.
#[derive(Debug, Args)]
struct Measure {
    /// The binary under test
    #[arg(long, default_value = "target/release/cofferdam")]
    binary: PathBuf,
    /// The duration of each measurement, in seconds
    #[arg(long, default_value_t = 12)]
    seconds: u64,
    /// The number of connections that misbehave at once
    #[arg(long, default_value_t = 2_000)]
    connections: usize,
    /// The number of connections that the crowd opens in a second
    #[arg(long, default_value_t = 400)]
    rate: u32,
    /// Only manners whose name has this word
    #[arg(long)]
    only: Option<String>,
}

#[tokio::main]
async fn main() {
    let cli = Cli::parse();
    match cli.command {
        Some(Hidden::Crowd(crowd)) => crowd.run().await,
        None => measure(&cli.measure).await,
    }
}

async fn measure(args: &Measure) {
    let dir = tempfile::tempdir().unwrap();
    let mut site = Site::start(dir.path(), &args.binary).await;
    let span = Duration::from_secs(args.seconds);
    // The first calls of a process are slower than the later ones.
    calls::measure(&site, Duration::from_secs(3)).await;
    let quiet = calls::measure(&site, span * 2).await;
    println!("{:44} {:>8} {:>8} {:>8}", "quiet time: calls", "median", "99 %", "failed");
    for kind in Kind::ALL {
        let of = quiet.of(kind);
        println!("  {:42} {:>5.1} ms {:>5.1} ms {:>8}", kind.name(), of.median, of.p99, of.failed);
    }
    let mut slow = 0;
    for listener in Listener::ALL {
        for manner in listener.manners() {
            let name = format!("{}: {}", listener.name(), manner.name());
            if args.only.as_ref().is_some_and(|word| !name.contains(word)) {
                continue;
            }
            let mut crowd = send(&site, listener, *manner, args);
            let measured = calls::measure(&site, span).await;
            crowd.kill().unwrap();
            crowd.wait().unwrap();
            slow += usize::from(!tell(&name, &quiet, &measured));
            tokio::time::sleep(CALM).await;
        }
    }
    let again = calls::measure(&site, span).await;
    tell("quiet time, at the end", &quiet, &again);
    site.stop().await;
    assert!(slow == 0, "calls were slower than {LIMIT} × the quiet time, or failed, {slow} times");
}

/// Starts a crowd. It is killed with this process's child.
fn send(site: &Site, listener: Listener, manner: Manner, args: &Measure) -> Child {
    let mut command = Command::new("nice");
    command.args(["-n", "19"]).arg(std::env::current_exe().unwrap()).arg("crowd");
    command.arg("--estate").arg(&site.estate.dir).arg("--manner").arg(manner.word());
    command.args(["--address", &site.address(listener).to_string()]);
    command.args(["--connections", &manner.connections(args.connections).to_string()]);
    command.args(["--rate", &args.rate.to_string()]);
    command.args(["--seconds", &(2 * args.seconds).to_string()]);
    command.stdin(Stdio::null()).spawn().unwrap()
}

/// Prints the slowest kind of call. Whether every call was fast enough and none failed.
fn tell(name: &str, quiet: &Figures, measured: &Figures) -> bool {
    let ratio = |kind: &Kind| measured.of(*kind).p99 / quiet.of(*kind).p99;
    let slowest = Kind::ALL.into_iter().max_by(|a, b| ratio(a).total_cmp(&ratio(b))).unwrap();
    let (of, times) = (measured.of(slowest), ratio(&slowest));
    let failed: usize = Kind::ALL.into_iter().map(|kind| measured.of(kind).failed).sum();
    let good = times <= LIMIT && failed == 0;
    println!(
        "{name:44} {times:>5.1} × {:>6.1} ms  {:28} {failed:>4} failed{}",
        of.p99,
        slowest.name(),
        if good { "" } else { "  ← too slow" }
    );
    good
}
