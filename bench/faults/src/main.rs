//! `bench-faults`: injects faults in random order while customers sign up, are read and sign in, and
//! cards are stored. After each fault, every kind of call must work again without help. At the end,
//! every acknowledged write must be readable, every answer must stand in the release log, no
//! compartment may have started without its data, and the exposure of the reading host must be what
//! that host read.
//!
//! May touch: loopback, a directory of its own, and, as root, the file systems that it mounts there.
//! It stops by itself. Called by: people who measure (see `docs/performance.md`).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement whose ground is not there must fail, and says its figures"
)]

mod disk;
mod faults;
mod findings;
mod site;
mod traffic;

use std::path::PathBuf;

use clap::Parser;
use cofferdam_core::{Rng, SeededRng, SystemRng};

use disk::SmallDisk;
use faults::Fault;
use site::Site;
use traffic::Traffic;

/// Injects faults under traffic.
#[derive(Debug, Parser)]
struct Args {
    /// The binary under test
    #[arg(long, default_value = "target/release/cofferdam")]
    binary: PathBuf,
    /// The number of faults
    #[arg(long, default_value_t = 500)]
    faults: u32,
    /// The seed of the faults' order; without one, a random order that the first line names
    #[arg(long)]
    seed: Option<u64>,
    /// The library that shifts a process's clock (Debian's package `faketime`)
    #[arg(long, default_value = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")]
    faketime: PathBuf,
    /// Leave out full disks and read-only directories, which need root
    #[arg(long)]
    no_mounts: bool,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    assert!(args.faketime.exists(), "{} is missing", args.faketime.display());
    let seed = args.seed.unwrap_or_else(|| u64::from_le_bytes((&SystemRng as &dyn Rng).bytes()));
    println!("seed {seed}");
    let rng = SeededRng::new(seed);

    let dir = tempfile::tempdir().unwrap();
    let disk = (!args.no_mounts).then(|| SmallDisk::mount(dir.path()));
    let mut site = Site::start(&dir.path().join("estate"), &args.binary, &args.faketime).await;
    let traffic = Traffic::start(&site);
    for number in 1..=args.faults {
        let fault = Fault::draw(&rng, disk.is_some());
        println!("{number}: {fault}");
        fault.inject(&mut site, disk.as_ref(), &rng).await;
        traffic.goes_on().await;
        if number.is_multiple_of(25) {
            println!("{number} faults; {}", traffic.summary());
        }
    }
    site.restart_all().await;
    let answered = traffic.stop().await;
    findings::check(&site, &answered).await;
    println!("{} faults; every check held: {}", args.faults, answered.summary());
    site.stop();
}
