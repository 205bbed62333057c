//! `bench-scope`: writes a release log of many events over many days, with the files and the code
//! of the real one, and measures the time and the memory of an exposure from its index. The same
//! run measures the peer: `DuckDB` on the same events as Parquet.
//!
//! May touch: its directory. It stops by itself. Called by: people who measure (see
//! `docs/performance.md`).
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement whose ground is not there must fail, and says its figures"
)]

mod events;
mod peer;
mod people;
mod scope;

use std::path::PathBuf;

use clap::Parser;

/// Measures the time and the memory of an exposure.
#[derive(Debug, Clone, Parser)]
pub struct Args {
    /// The directory of the log; a log that exists there is used again
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The number of customers
    #[arg(long, default_value_t = 24_000_000)]
    customers: u32,
    /// The number of release events a day (a billion in 90 days are 11,111,111)
    #[arg(long, default_value_t = 11_111_111)]
    events: u32,
    /// The number of days in the log
    #[arg(long, default_value_t = 9)]
    days: u32,
    /// The number of days in the window, which begins and ends within an hour
    #[arg(long, default_value_t = 3)]
    window: u32,
    /// Read every entry as well, and compare the results
    #[arg(long)]
    from_log: bool,
    /// Python with the package duckdb, to run the peer
    #[arg(long, value_name = "PYTHON")]
    duckdb: Option<PathBuf>,
    /// Only compute the exposure once, and print the memory that it took (the bench calls itself)
    #[arg(long, hide = true)]
    only: bool,
}

fn main() {
    let args = Args::parse();
    if args.only {
        return scope::once(&args);
    }
    events::write(&args);
    events::index(&args);
    let events = u64::from(args.events) * u64::from(args.days);
    let (log, index) = events::sizes(&args.dir);
    println!("{events} events, {} days; log {log} MB, index {index} MB", args.days);

    let ours = scope::measure(&args);
    people::measure(&args);
    if let Some(python) = &args.duckdb {
        let peer = peer::measure(&args, python);
        assert_eq!(ours.counts, peer.counts, "both must give the same answer");
        println!("peer: DuckDB, the same answer from Parquet  {:>9.3} s", peer.seconds);
        println!("ratio: {:.0} ×", peer.seconds / ours.seconds);
    }
}
