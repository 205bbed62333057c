//! `bench-keys`: measures releases a second, single and in batches, end to end over mutual TLS and
//! durable in the log. The same run measures their limits (HKDF, fdatasync) and a peer: PostgreSQL
//! with pgcrypto and a durable audit row for each read.
//!
//! May touch: loopback and a temporary directory. It stops by itself. Called by: people who measure
//! (see `docs/performance.md`).
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints its figures, and fails if it can't be made"
)]

mod estate;
mod limits;
mod load;
mod peer;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Measures releases a second.
#[derive(Debug, Parser)]
struct Args {
    /// The binary under test
    #[arg(long, default_value = "target/release/cofferdam")]
    binary: PathBuf,
    /// The duration of each load, in seconds
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// The number of connections of the single load
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// The number of records that are asked for
    #[arg(long, default_value_t = 24_000_000)]
    records: u32,
    /// Measure the peer as well: a PostgreSQL server named by `COFFERDAM_TEST_POSTGRES`
    #[arg(long)]
    peer: bool,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let span = Duration::from_secs(args.seconds);
    let dir = tempfile::tempdir().unwrap();

    let hkdf = limits::hkdf(Duration::from_secs(2));
    println!("limit: HKDF expansions, one core        {hkdf:>12.0} /s");
    let fsync = limits::fdatasync(dir.path(), Duration::from_secs(2));
    println!("limit: fdatasync of 100 bytes           {fsync:>12.0} /s");
    let tls = limits::echo(span.min(Duration::from_secs(5)), args.connections).await;
    println!("limit: empty calls over mutual TLS      {tls:>12.0} /s");

    let keys = estate::Keys::start(&args.binary, dir.path()).await;
    let single = load::run(&keys, span, args.connections, 1, args.records).await;
    println!("keys: single releases, durable          {:>12.0} /s", single.calls);
    println!("      median {:.2} ms, 99 % {:.2} ms", single.median_ms, single.p99_ms);
    println!("      {:.0} % of empty calls over mutual TLS", single.calls / tls * 100.0);
    let batched = load::run(&keys, span, 4, 1_000, args.records).await;
    println!("keys: records in batches of 1,000       {:>12.0} /s", batched.calls * 1_000.0);
    println!("      median {:.1} ms a batch", batched.median_ms);
    println!(
        "      {:.0} % of one core's HKDF, two expansions a record",
        batched.calls * 2_000.0 / hkdf * 100.0
    );
    println!("keys: resident memory at the end        {:>12.0} MiB", keys.memory_mib());
    keys.stop();

    if args.peer {
        let peer = peer::run(span, args.connections).await;
        println!("peer: PostgreSQL, pgp_sym_decrypt and an audit row a read");
        println!("      single reads, durable             {:>12.0} /s", peer.single);
        println!("      rows in batches of 1,000          {:>12.0} /s", peer.batched);
        println!(
            "ratio: single {:.1} ×, batched {:.0} ×",
            single.calls / peer.single,
            batched.calls * 1_000.0 / peer.batched
        );
    }
}
