//! The whole drill: the estate, the customers, the breach, the response, and the checks.

use std::net::ToSocketAddrs;
use std::path::Path;
use std::sync::Arc;

use cofferdam_core::{Personal, SeededRng, SystemClock};
use estate::{Died, EstateError, Running};

use crate::breach::{Breach, Happened};
use crate::error::DrillError;
use crate::fill::{self, CustomerSource};
use crate::flat::{self, FlatPerson, FlatReport, FlatSize};
use crate::options::{Options, Scenario};
use crate::people::People;
use crate::place::DrillEstate;
use crate::recorder::{Observer, Recorder};
use crate::report::DrillReport;
use crate::size::Size;
use crate::{respond, scenario, secrecy};

/// A drill whose estate runs.
pub struct Drill<'a> {
    options: &'a Options,
    source: CustomerSource,
    size: Size,
    place: DrillEstate,
    running: Running,
    recorder: Recorder<'a>,
}

impl<'a> Drill<'a> {
    /// Makes a fresh estate, and starts its processes from `binary`.
    pub async fn start(
        options: &'a Options,
        binary: &Path,
        observer: &'a dyn Observer,
    ) -> Result<Self, DrillError> {
        let mut recorder = Recorder::start(options.seed, observer);
        recorder.report.presence = options.presence;
        recorder.begin("estate");
        let (source, customers) = source(options)?;
        let size = Size::of(customers);
        let place = DrillEstate::create(options, &size).await?;
        let running = Running::start(&place.estate, binary).await?;
        recorder.end(format!("five processes in {}", place.estate.dir.display()));
        Ok(Self { options, source, size, place, running, recorder })
    }

    /// Replays the breach and the response, and checks both. Fails if a process of the estate dies.
    pub async fn replay(&mut self) -> Result<&DrillReport, DrillError> {
        let Self { options, source, size, place, running, recorder } = self;
        tokio::select! {
            replayed = replay(options, place, source, *size, recorder) => replayed?,
            died = running.wait_for_death() => return Err(EstateError::from(died).into()),
        }
        recorder.finish();
        Ok(&recorder.report)
    }

    /// The directory of the estate.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.place.estate.dir
    }

    /// Waits until a process of the estate ends by itself.
    pub async fn wait_for_death(&mut self) -> Died {
        self.running.wait_for_death().await
    }

    /// Stops the estate, and removes its directory unless it is kept.
    pub async fn stop(mut self) {
        self.running.stop().await;
    }
}

/// The source of the customers, and their number.
fn source(options: &Options) -> Result<(CustomerSource, u32), DrillError> {
    let Some(file) = &options.file else {
        return Ok((CustomerSource::Synthetic(options.customers), options.customers));
    };
    if let Some(relay) = &options.relay
        && !relay.to_socket_addrs()?.all(|address| address.ip().is_loopback())
    {
        return Err(DrillError::RelayAbroad);
    }
    let rows =
        count_rows(file).map_err(|source| DrillError::Customers { path: file.clone(), source })?;
    let shoppers = (rows / 10).clamp(50, 2_000);
    Ok((CustomerSource::File(file.clone(), shoppers), rows + shoppers))
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

async fn replay(
    options: &Options,
    place: &DrillEstate,
    source: &CustomerSource,
    size: Size,
    recorder: &mut Recorder<'_>,
) -> Result<(), DrillError> {
    let people = People::new(options.seed);
    let estate = &place.estate;

    recorder.begin("fill");
    let filled = fill::fill(place, source, &people, options.seed, recorder).await?;
    recorder.report.customers = filled.customers;
    let (customers, cards) = (filled.customers, filled.cards);
    recorder.end(format!("{customers} customers, {} refused rows, {cards} cards", filled.rejected));

    let (seed, presence) = (options.seed, options.presence);
    let breach = Breach { estate, people: &people, filled: &filled, size, seed, presence };
    match options.fallen {
        Scenario::App | Scenario::Response | Scenario::Relay => {
            let happened = breach.happen(recorder).await?;
            let own_sink = options.relay.is_none();
            let mut reset = respond::respond(&breach, &happened, own_sink, recorder).await?;
            reset.extend(&happened.reset_asked);
            if options.fallen != Scenario::App {
                let truth = scenario::taken_from_letters(options.fallen, &filled.roll, &reset);
                let happened = Happened { truth, ..happened };
                breach.judge_exposure(options.fallen, &happened, recorder).await?;
            }
        }
        host => {
            let happened = breach.happen_at(host, recorder).await?;
            breach.judge_exposure(host, &happened, recorder).await?;
        }
    }
    if options.flat {
        recorder.begin("the same theft in a conventional shop");
        let flat = conventional(options, size, &people).await?;
        recorder.end(format!("{} customers taken", flat.records_lost));
        recorder.report.flat = Some(flat);
    }
    search_disk(&estate.dir, &people, source.shoppers(), recorder)
}

/// The same customers and the same thief, in a shop with one database.
async fn conventional(
    options: &Options,
    size: Size,
    people: &People,
) -> Result<FlatReport, DrillError> {
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
    let Size { sign_ins, close_looks, .. } = size;
    let size = FlatSize { customers: options.customers, sign_ins, close_looks };
    let dir = tempfile::Builder::new().prefix("cofferdam-flat-").tempdir()?;
    let rng = Arc::new(SeededRng::new(options.seed));
    Ok(flat::run(dir.path(), &size, person, Arc::new(SystemClock), rng).await?)
}

fn search_disk(
    estate: &Path,
    people: &People,
    shoppers: u32,
    recorder: &mut Recorder<'_>,
) -> Result<(), DrillError> {
    recorder.begin("search the disk");
    let needles = secrecy::Needles::sample(people, shoppers);
    let (files, leaks) = secrecy::search(estate, &needles)?;
    let found: Vec<_> =
        leaks.iter().map(|leak| format!("{} in {}", leak.what, leak.file.display())).collect();
    recorder.end(format!("{files} files searched for customers' data"));
    let detail = if found.is_empty() { format!("{files} files") } else { found.join("; ") };
    recorder.check("nothing of a customer stands in clear on disk", found.is_empty(), detail);
    Ok(())
}
