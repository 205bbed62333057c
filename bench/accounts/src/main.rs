//! `bench-accounts`: measures profiles and sign-ins a second, end to end: from an app server over mutual
//! TLS to `accounts`, and to the release log on disk. Two estates of the same binary take turns, one
//! with halves of keys and one without. Sign-ins stand beside bare Argon2id.
//!
//! May touch: loopback, a temporary directory and the processes that it starts. It stops by itself.
//! Called by: people who measure (see `docs/performance.md`).
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints its figures, and fails if it can't be made"
)]

mod argon;
mod site;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use testkit::load::Measured;

use site::Site;

/// The share of the rate without halves that the rate with halves must reach, in percent.
const LEAST_READS: f64 = 95.0;
/// The share of bare Argon2id that sign-ins must reach, in percent.
const LEAST_SIGN_INS: f64 = 95.0;

/// The duration of a turn of sign-ins: the budgets of a minute are those of an ordinary shop.
const SIGN_INS: Duration = Duration::from_secs(2);

/// Measures profiles and sign-ins a second.
#[derive(Debug, Parser)]
struct Args {
    /// The binary under test
    #[arg(long, default_value = "target/release/cofferdam")]
    binary: PathBuf,
    /// The number of customers
    #[arg(long, default_value_t = 20_000)]
    customers: u32,
    /// The duration of each measurement, in seconds
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// The number of turns that each estate takes
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let dir = tempfile::tempdir().unwrap();
    let mut halves = Site::start(&dir.path().join("halves"), &args.binary, args.customers).await;
    let mut whole =
        Site::without_halves(&dir.path().join("whole"), &args.binary, args.customers).await;
    let span = Duration::from_secs(args.seconds);
    for (what, connections, profiles) in [("one profile a call", 32, 1), ("100 a call", 4, 100)] {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for _ in 0..args.rounds {
            with.push(halves.read(span, connections, profiles).await);
            without.push(whole.read(span, connections, profiles).await);
        }
        let (with, without) = (median(with), median(without));
        println!(
            "{what}: profiles/s {:>10.0} with halves, {:>10.0} without",
            rate(&with, profiles),
            rate(&without, profiles)
        );
        println!("  median {:.2} ms, 99th percentile {:.2} ms", with.median_ms, with.p99_ms);
        limit(100.0 * with.calls / without.calls, LEAST_READS);
    }
    let (mut signed_in, mut bare) = (Vec::new(), Vec::new());
    for round in 0..args.rounds {
        signed_in.push(halves.sign_in(SIGN_INS, round).await);
        bare.push(argon::measure(SIGN_INS));
    }
    bare.sort_by(f64::total_cmp);
    let (signed_in, bare) = (median(signed_in), bare[bare.len() / 2]);
    println!("sign-ins/s {:>10.1}; bare Argon2id {bare:>10.1}", signed_in.calls);
    println!("  median {:.1} ms, 99th percentile {:.1} ms", signed_in.median_ms, signed_in.p99_ms);
    limit(100.0 * signed_in.calls / bare, LEAST_SIGN_INS);
    halves.stop().await;
    whole.stop().await;
}

/// The measurement with the median rate.
fn median(mut all: Vec<Measured>) -> Measured {
    all.sort_by(|a, b| a.calls.total_cmp(&b.calls));
    all.swap_remove(all.len() / 2)
}

fn rate(of: &Measured, profiles: u32) -> f64 {
    of.calls * f64::from(profiles)
}

fn limit(percent: f64, least: f64) {
    let kept = if percent >= least { "kept" } else { "MISSED" };
    println!("  {percent:.1} %, limit {least} %: {kept}");
}
