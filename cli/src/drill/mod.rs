//! `cofferdam drill`: replays the breach on a fresh estate, from the theft to the last letter, and
//! holds what the response found against the truth.
//!
//! It has no private way in: it fills the estate through `import`, and responds through the
//! functions behind `incident`.

mod attempts;
mod breach;
mod cards;
mod checks;
mod contain;
mod estate;
mod fill;
mod flat;
mod letters;
mod notice;
mod people;
mod report;
mod respond;
mod roll;
mod scenario;
mod scope_check;
mod secrecy;
mod size;
mod tally;
mod thief;
mod traffic;

use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use cofferdam_core::{Clock, Personal, SeededRng, SystemClock};
use cofferdam_wire::Shutdown;

use crate::up::Running;
use crate::{CommandError, output};

use breach::{Breach, Happened};
use estate::DrillEstate;
use fill::Source;
use flat::{FlatPerson, FlatReport, FlatSize};
use people::People;
use report::{DrillReport, Steps};
use scenario::Scenario;
use size::Size;

/// `cofferdam drill`
#[derive(Debug, Args)]
pub struct DrillArgs {
    /// How many synthetic customers
    #[arg(long, value_name = "N", default_value_t = 20_000,
          value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    customers: u32,
    /// The same seed makes the same customers, decoys, traffic and theft
    #[arg(long, value_name = "S", default_value_t = 2012)]
    seed: u64,
    /// Take the customers from a file, as `import customers` does, instead of making them up; a
    /// few synthetic ones come on top and do the signing in
    #[arg(long, value_name = "CSV", conflicts_with = "customers")]
    file: Option<PathBuf>,
    /// Which host falls
    #[arg(long, value_enum, default_value = "app", value_name = "HOST")]
    fallen: Scenario,
    /// Run the same theft against a conventional shop too (one database, no compartments, no
    /// budgets), and show both side by side
    #[arg(long, conflicts_with = "file")]
    flat: bool,
    /// Hand the letters to this relay instead of the built-in mail sink
    #[arg(long, value_name = "HOST:PORT")]
    relay: Option<String>,
    /// Where the estate is made [default: a temporary directory, removed at the end]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Leave the estate running, and its directory in place
    #[arg(long)]
    keep: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the drill; fails unless every check held.
pub async fn run(args: DrillArgs) -> Result<ExitCode, CommandError> {
    let mut steps = Steps::start();
    steps.begin("estate");
    let source = source(&args)?;
    let size = Size::of(source.customers);
    let relay = args.relay.clone();
    let mut place = DrillEstate::create(args.dir.as_deref(), &size, args.seed, relay).await?;
    if args.keep {
        place.keep();
    }
    let mut running = Running::start(&place.estate).await?;
    steps.end(format!("five processes in {}", place.estate.dir.display()));

    let drilled = tokio::select! {
        drilled = drill(&args, &place, &source.from, size, steps) => drilled,
        died = running.one_dies() => Err(died.into()),
        () = Shutdown.requested() => Err("stopped before the end".into()),
    };
    let shown = drilled.and_then(|report| show(&args, &report));
    if shown.is_ok() && args.keep {
        stay(&place.estate.dir, &mut running).await;
    }
    running.stop().await;
    shown
}

/// The customers, and how many there will be.
struct Customers {
    from: Source,
    customers: u32,
}

fn source(args: &DrillArgs) -> Result<Customers, CommandError> {
    let Some(file) = &args.file else {
        return Ok(Customers {
            from: Source::Synthetic(args.customers),
            customers: args.customers,
        });
    };
    if let Some(relay) = &args.relay
        && !relay.to_socket_addrs()?.all(|address| address.ip().is_loopback())
    {
        // The letters speak of a breach that did not happen.
        return Err("with --file, the letters of a drill go to a relay on loopback only".into());
    }
    let rows = count_rows(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let shoppers = (rows / 10).clamp(50, 2_000);
    Ok(Customers { from: Source::File(file.clone(), shoppers), customers: rows + shoppers })
}

fn count_rows(file: &Path) -> Result<u32, csv::Error> {
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_path(file)?;
    let mut row = csv::ByteRecord::new();
    let mut count = 0;
    while rows.read_byte_record(&mut row)? {
        count += 1;
    }
    Ok(count)
}

/// Steps 1 to 8.
async fn drill(
    args: &DrillArgs,
    place: &DrillEstate,
    source: &Source,
    size: Size,
    mut steps: Steps,
) -> Result<DrillReport, CommandError> {
    let mut report = DrillReport { seed: args.seed, ..DrillReport::default() };
    let people = People::new(args.seed);
    let estate = &place.estate;

    steps.begin("fill");
    let now = SystemClock.now();
    let filled = fill::fill(estate, &place.own, source, &people, now, args.seed).await?;
    report.customers = filled.customers;
    let (customers, cards) = (filled.customers, filled.cards);
    steps.end(format!("{customers} customers, {} refused rows, {cards} cards", filled.rejected));

    let breach = Breach { estate, people: &people, filled: &filled, size, seed: args.seed };
    match args.fallen {
        Scenario::App | Scenario::Response | Scenario::Relay => {
            let happened = breach.happen(&mut steps, &mut report).await?;
            let reset = respond::respond(&breach, &happened, args, &mut steps, &mut report).await?;
            if args.fallen.reads_letters() {
                let truth = scenario::of_letters(args.fallen, &filled.roll, &reset);
                let happened = Happened { truth, ..happened };
                breach.judge_exposure(args.fallen, &happened, &mut steps, &mut report).await?;
            }
        }
        host => {
            let happened = breach.happen_at(host, &mut steps, &mut report).await?;
            breach.judge_exposure(host, &happened, &mut steps, &mut report).await?;
        }
    }
    if args.flat {
        steps.begin("the same theft in a conventional shop");
        let flat = conventional(args, &size, &people).await?;
        steps.end(format!("{} customers taken", flat.records_lost));
        report.flat = Some(flat);
    }

    steps.begin("search the disk");
    let needles = secrecy::Needles::sample(&people, source.shoppers());
    let (files, leaks) = secrecy::search(&estate.dir, &needles)?;
    let found: Vec<_> =
        leaks.iter().map(|leak| format!("{} in {}", leak.what, leak.file.display())).collect();
    steps.end(format!("{files} files searched for customers' data"));
    let detail = if found.is_empty() { format!("{files} files") } else { found.join("; ") };
    report.checks.add("nothing of a customer stands in clear on disk", found.is_empty(), detail);

    report.seconds = steps.seconds();
    report.steps = steps.into_list();
    report.ok = report.checks.hold();
    Ok(report)
}

/// The same customers and the same thief, in a shop with one database.
async fn conventional(
    args: &DrillArgs,
    size: &Size,
    people: &People,
) -> Result<FlatReport, CommandError> {
    let person = |number: u32| {
        let person = people.person(number);
        let card = person.card_last4.map(|last4| format!("400000{:06}{last4}", number % 1_000_000));
        FlatPerson {
            name: person.name,
            email: person.email,
            phone: person.phone,
            billing_address: person.billing_address,
            shipping_address: person.shipping_address,
            card_number: card.map(Personal::new),
            password: person.password.into(),
        }
    };
    let (sign_ins, close_looks) = (size.sign_ins, size.close_looks);
    let size = FlatSize { customers: args.customers, sign_ins, close_looks };
    let dir = tempfile::Builder::new().prefix("cofferdam-flat-").tempdir()?;
    let rng = Arc::new(SeededRng::new(args.seed));
    Ok(flat::run(dir.path(), &size, person, Arc::new(SystemClock), rng).await?)
}

fn show(args: &DrillArgs, report: &DrillReport) -> Result<ExitCode, CommandError> {
    if args.json {
        output::json(report)?;
    } else {
        report.lines().iter().for_each(|line| output::line(line));
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Leaves the estate up until somebody asks it to stop.
async fn stay(dir: &Path, running: &mut Running) {
    output::note(&format!("The estate in {} stays up; Ctrl-C stops it.", dir.display()));
    tokio::select! {
        () = Shutdown.requested() => {}
        died = running.one_dies() => output::note(&died.to_string()),
    }
}
