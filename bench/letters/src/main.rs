//! `bench-letters`: measures letters a second through the whole estate. A letter's contact is read
//! under a warrant from `accounts` and `keys`; the letter is rendered, signed, handed over by SMTP
//! and recorded in the ledger. The same run measures the limits: bare RSA-2048 signatures, and
//! Postfix's smtp-source into the same smtp-sink.
//!
//! The compartments inherit `COFFERDAM_LOG`: measure with `warn`, as in production.
//!
//! May touch: loopback and a directory of its own. It stops by itself. Called by: people who
//! measure (see `docs/performance.md`).
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement whose ground is not there must fail, and says its figures"
)]

mod args;
mod flood;
mod limits;
mod peer;
mod returned;
mod sending;
mod site;

use std::path::Path;
use std::time::Duration;

use clap::Parser;
use testkit::{SmtpSink, free_address};

use args::Args;
use sending::Sent;
use site::Site;

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

    let site = Site::start(dir.path(), at, &args).await;
    let filled = site.import(args.customers).await;
    println!("customers imported                      {filled:>10.0} /s");
    let sent = sending::write_to_all(&site, args.customers).await;
    let rate = sent.letters as f64 / sent.seconds;
    print_sent(&sent);
    println!("      {:.0} % of smtp-source", rate / source * 100.0);
    if !args.relay_signs {
        println!("      {:.0} % of bare signatures on both cores", rate / (bare * 2.0) * 100.0);
    }
    print_costs(&sent);
    if let Some(dump) = dump.as_ref().filter(|_| args.peer > 0) {
        let customers = site.customers();
        let peer = peer::measure(at, dump, &customers, args.peer);
        let peer_rate = f64::from(peer.letters) / peer.seconds;
        println!("peer: Mailman 3                         {peer_rate:>10.0} /s");
        println!("      it took {:.0} s to subscribe {}", peer.subscribing, peer.letters);
        println!("      we are {:.0} times as fast", rate / peer_rate);
    }
    if let Some(dump) = dump.as_ref().filter(|_| args.comes_back) {
        let returned = returned::measure(&site, dump).await;
        println!("bounces handed in                       {:>10}", returned.bounces);
        println!("bounces a second                        {:>10.0} /s", returned.bounces_a_second);
        println!("a code checked, median                  {:>10.2} ms", returned.verify_median_ms);
        println!("a code checked, slowest of 500          {:>10.2} ms", returned.verify_worst_ms);
    }
    site.stop().await;
    drop(sink);
}

fn print_sent(sent: &Sent) {
    println!("letters accepted                        {:>10}", sent.letters);
    for (state, people) in &sent.others {
        println!("{state:<30}          {people:>10}");
    }
    let rate = sent.letters as f64 / sent.seconds;
    println!("letters a second                        {rate:>10.0} /s");
}

fn print_costs(sent: &Sent) {
    println!("planned in                              {:>10.1} s", sent.planning);
    for (name, mib) in &sent.memory {
        println!("peak memory of {:<24} {mib:>10.0} MiB", name.as_str());
    }
    println!("ledger and all else of response on disk {:>10.0} MB", sent.disk_mb);
    println!("counts                                  {:>10.1} ms", sent.counts_ms);
    println!("one person's row, median                {:>10.2} ms", sent.row_ms);
}

async fn flooded(args: &Args, dir: &Path) {
    let at = free_address();
    let counts = flood::relay(at).await;
    let site = Site::start(dir, at, args).await;
    site.import(args.customers).await;
    let flood = flood::measure(&site, &counts).await;
    println!("the provider before it answers 421      {:>10.0} /s", flood.flooded_before);
    match flood.slowed_after {
        Some(seconds) => println!("half of that, or less, within           {seconds:>10.1} s"),
        None => println!("it was never slowed down"),
    }
    println!("at the end                              {:>10.1} /s", flood.flooded_at_the_end);
    println!("others before                           {:>10.0} /s", flood.others_before);
    let share = flood.others_after / flood.others_before * 100.0;
    println!("others after: {share:.0} %                     {:>10.0} /s", flood.others_after);
    site.stop().await;
}
