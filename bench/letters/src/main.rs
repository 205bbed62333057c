//! `bench-letters`: letters a second through the whole estate (contacts read under a warrant from
//! `accounts` and `keys`, rendered, signed, handed over by SMTP, recorded in the ledger); beside them,
//! in the same run, the limits they are held against: bare RSA-2048 signatures, and Postfix's
//! smtp-source into the same smtp-sink.
//!
//! May touch: loopback and a directory of its own. It stops by itself. Called by: people who measure;
//! `docs/performance.md` says how.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement whose ground is not there must fail, and says its figures"
)]

mod back;
mod estate;
mod flood;
mod limits;
mod peer;
mod sending;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use testkit::{SmtpSink, free_address};

/// Measures letters.
#[derive(Debug, Parser)]
struct Args {
    /// The binary under test
    #[arg(long, default_value = "target/release/cofferdam")]
    binary: PathBuf,
    /// Customers who are written to
    #[arg(long, default_value_t = 100_000)]
    customers: u32,
    /// Connections to the relay
    #[arg(long, default_value_t = 16)]
    connections: u32,
    /// The relay signs, and not we
    #[arg(long)]
    relay_signs: bool,
    /// Every letter bounces in the end, and codes are checked
    #[arg(long)]
    comes_back: bool,
    /// One mail provider begins to turn letters away: how soon it gets less, and what others get
    #[arg(long, conflicts_with = "comes_back")]
    flood: bool,
    /// Mailman 3 sends one of the letters to so many of the customers, into the same sink, which
    /// writes everything down then
    #[arg(long, default_value_t = 0)]
    peer: u32,
    /// A PostgreSQL database for `response`, an empty one; SQLite without it
    #[arg(long)]
    database: Option<String>,
    /// A directory on the disk to measure
    #[arg(long)]
    dir: Option<PathBuf>,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let dir = match &args.dir {
        Some(dir) => tempfile::tempdir_in(dir).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    if args.flood {
        return flooded(&args, dir.path()).await;
    }
    let bare = limits::signatures(Duration::from_secs(3));
    println!("limit: RSA-2048 signatures, one core    {bare:>10.0} /s");
    let at = free_address();
    let mut sink = SmtpSink::start(at, None);
    let source = limits::smtp_source(at, 200_000, args.connections);
    println!("limit: smtp-source, 5,000 bytes each    {source:>10.0} /s");
    let dump = (args.comes_back || args.peer > 0).then(|| dir.path().join("arrived"));
    if dump.is_some() {
        drop(sink);
        sink = SmtpSink::start(at, dump.as_deref());
    }

    let estate = estate::Running::start(&args.binary, dir.path(), at, &args).await;
    let filled = estate.import(args.customers);
    println!("customers imported                      {filled:>10.0} /s");
    let told = sending::send(&estate, args.customers).await;
    println!("letters accepted                        {:>10}", told.letters);
    for (state, people) in &told.others {
        println!("{state:<30}          {people:>10}");
    }
    println!(
        "letters a second                        {:>10.0} /s",
        told.letters as f64 / told.seconds
    );
    println!("      {:.0} % of smtp-source", told.letters as f64 / told.seconds / source * 100.0);
    if !args.relay_signs {
        let both = bare * 2.0;
        let share = told.letters as f64 / told.seconds / both * 100.0;
        println!("      {share:.0} % of bare signatures on both cores");
    }
    println!("planned in                              {:>10.1} s", told.planning);
    for (name, mib) in &told.memory {
        println!("peak memory of {name:<24} {mib:>10.0} MiB");
    }
    println!("ledger and all else of response on disk {:>10.0} MB", told.disk_mb);
    println!("counts                                  {:>10.1} ms", told.counts_ms);
    println!("one person's row, median                {:>10.2} ms", told.row_ms);
    if let Some(dump) = dump.as_ref().filter(|_| args.peer > 0) {
        let customers = estate.dir.join("customers.csv");
        let peer = peer::measure(at, dump, &customers, args.peer);
        let rate = f64::from(peer.letters) / peer.seconds;
        println!("peer: Mailman 3                         {rate:>10.0} /s");
        println!("      it took {:.0} s to subscribe {}", peer.subscribing, peer.letters);
        println!("      we are {:.0} times as fast", told.letters as f64 / told.seconds / rate);
    }
    if let Some(dump) = dump.as_ref().filter(|_| args.comes_back) {
        let back = back::measure(&estate, dump).await;
        println!("bounces handed in                       {:>10}", back.bounces);
        println!("bounces a second                        {:>10.0} /s", back.bounces_a_second);
        println!("a code checked, median                  {:>10.2} ms", back.verify_median_ms);
        println!("a code checked, slowest of 500          {:>10.2} ms", back.verify_worst_ms);
    }
    estate.stop();
    drop(sink);
}

async fn flooded(args: &Args, dir: &Path) {
    let at = free_address();
    let counts = flood::relay(at).await;
    let estate = estate::Running::start(&args.binary, dir, at, args).await;
    estate.import(args.customers);
    let flood = flood::measure(&estate, &counts).await;
    println!("the provider before it answers 421      {:>10.0} /s", flood.flooded_before);
    match flood.slowed_after {
        Some(seconds) => println!("half of that, or less, within           {seconds:>10.1} s"),
        None => println!("it was never slowed down"),
    }
    println!("at the end                              {:>10.1} /s", flood.flooded_at_the_end);
    println!("others before                           {:>10.0} /s", flood.others_before);
    let share = flood.others_after / flood.others_before * 100.0;
    println!("others after: {share:.0} %                     {:>10.0} /s", flood.others_after);
    estate.stop();
}
