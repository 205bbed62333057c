//! A compartment is killed while customers and cards are read: the release log names every release
//! that was answered.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use accounts_api::ReadCustomers;
use cofferdam_core::{
    Clock, CustomerNumber, Domain, Field, FieldSet, Operation, Personal, Record, SystemClock,
};
use cofferdam_wire::Client;
use estate::Compartment::{self, Accounts, Keys, Payments, Response};
use jiff::tz::TimeZone;
use keys_api::{Entry, Event, ReadEntries};
use payments_api::{CardDetails, CardToken, ReadCard, StoreCards};
use response_api::{Level, ReadExposure};
use roaring::RoaringBitmap;

use crate::letters::declared;
use crate::support::{Place, Process, wait_until};

const CUSTOMERS: u32 = 500;
const CARDS: usize = 500;
/// The time between two reads, so that the kill falls between them.
const PAUSE: Duration = Duration::from_millis(10);

/// Fields of records that were read.
type Reads = BTreeSet<(Domain, Record, Field)>;

/// The reads that were answered so far, and the flag that stops the readers.
#[derive(Clone, Default)]
struct Answered {
    reads: Arc<Mutex<Reads>>,
    stop: Arc<AtomicBool>,
}

impl Answered {
    fn add(&self, domain: Domain, record: Record, fields: impl Iterator<Item = Field>) {
        let reads = fields.map(|field| (domain, record, field));
        self.reads.lock().unwrap().extend(reads);
    }

    fn count(&self, domain: Domain) -> usize {
        self.reads.lock().unwrap().iter().filter(|read| read.0 == domain).count()
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Reads every customer once. While a compartment is down, a read fails and the next one is tried.
async fn read_customers(accounts: Client, numbers: Vec<CustomerNumber>, answered: Answered) {
    for (record, number) in (0..).map(Record).zip(numbers) {
        let fields = FieldSet::EMPTY.with(Field::Name).with(Field::Phone);
        let call = ReadCustomers { records: vec![number], fields, session: None };
        for customer in accounts.call(&call).await.unwrap_or_default() {
            answered.add(Domain::Accounts, record, customer.fields.keys().copied());
        }
        if answered.stopped() {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Reads every card once. They were the first to be stored, in this order.
async fn read_cards(payments: Client, tokens: Vec<CardToken>, answered: Answered) {
    for (record, token) in (0..).map(Record).zip(tokens) {
        if payments.call(&ReadCard { token }).await.is_ok() {
            let fields = [Field::CardMasked, Field::CardExpiry].into_iter();
            answered.add(Domain::Payments, record, fields);
        }
        if answered.stopped() {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Stores `count` cards at the checkout.
pub async fn store_cards(place: &Place, count: usize) -> Vec<CardToken> {
    let year = SystemClock.now().to_zoned(TimeZone::UTC).year() + 1;
    let card = CardDetails {
        number: Personal::new("4111111111111111"),
        expiry_month: 12,
        expiry_year: year.try_into().unwrap(),
    };
    let cards = vec![card; count];
    let stored = place.client(Payments, "checkout-1").call(&StoreCards { cards }).await.unwrap();
    stored.into_iter().map(|card| card.token).collect()
}

/// Reads the fields that were released for reading from the whole log.
async fn released(place: &Place) -> Reads {
    let mut reads = Reads::new();
    for entry in log(place).await {
        let Event::Released { domain, operation, fields, records, .. } = entry.event else {
            continue;
        };
        if operation == Operation::Release {
            let pairs = records.as_slice().iter().flat_map(|r| fields.iter().map(|f| (*r, f)));
            reads.extend(pairs.map(|(record, field)| (domain, record, field)));
        }
    }
    reads
}

/// Every entry of the release log.
pub async fn log(place: &Place) -> Vec<Entry> {
    let controller = place.keys_as(Response);
    let mut entries = Vec::new();
    loop {
        let from = entries.len() as u64;
        let page = controller.call(&ReadEntries { from, limit: 1_000 }).await.unwrap().entries;
        if page.is_empty() {
            return entries;
        }
        entries.extend(page.iter().map(|bytes| Entry::decode(bytes).unwrap()));
    }
}

/// Kills a compartment while customers and cards are read, starts it again, and goes on reading.
async fn kill_during_reads(victim: Compartment) -> (Place, Vec<Process>, Reads) {
    let place = Place::with_estate().await;
    let mut processes = place.serve_all().await;
    place.import(CUSTOMERS);
    let tokens = store_cards(&place, CARDS).await;
    let numbers = place.numbers(0..CUSTOMERS).await;

    let answered = Answered::default();
    let (accounts, payments) =
        (place.client(Accounts, "shipping-1"), place.client(Payments, "checkout-1"));
    let readers = [
        tokio::spawn(read_customers(accounts, numbers, answered.clone())),
        tokio::spawn(read_cards(payments, tokens, answered.clone())),
    ];
    let more_than = |customers: usize, cards: usize| {
        answered.count(Domain::Accounts) > customers && answered.count(Domain::Payments) > cards
    };
    wait_until("some reads", async || more_than(20, 20)).await;
    let victims = Compartment::ALL.iter().zip(&mut processes);
    let (_, process) = victims.into_iter().find(|(of, _)| **of == victim).unwrap();
    process.kill();
    let before = [Domain::Accounts, Domain::Payments].map(|domain| answered.count(domain));
    *process = place.serve(victim).await;
    wait_until("reads after the restart", async || more_than(before[0] + 20, before[1] + 20)).await;
    answered.stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }

    let reads = answered.reads.lock().unwrap().clone();
    let released = released(&place).await;
    let forgotten: Vec<_> = reads.difference(&released).collect();
    assert!(forgotten.is_empty(), "answered and not in the log: {forgotten:?}");
    (place, processes, reads)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_is_killed() {
    kill_during_reads(Keys).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_is_killed() {
    kill_during_reads(Accounts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_is_killed() {
    kill_during_reads(Payments).await;
}

/// The copy of the log continues where it stopped, so that the exposure misses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn response_is_killed() {
    let (place, _processes, reads) = kill_during_reads(Response).await;
    let staff = place.staff();
    let incident = declared(&staff, "shipping-1").await;
    let exposure = ReadExposure { incident, level: Level::Read, field: Field::Phone };
    let bitmap = staff.call(&exposure).await.unwrap().roaring;
    let exposed = RoaringBitmap::deserialize_from(bitmap.as_slice()).unwrap();
    let seen = reads.iter().filter(|read| read.2 == Field::Phone);
    let missed: Vec<_> = seen.filter(|read| !exposed.contains(read.1.0)).collect();
    assert!(missed.is_empty(), "read and not exposed: {missed:?}");
}

/// An entry that a crash left half-written is cut, and the log says so.
#[tokio::test]
async fn a_torn_end_is_reported() {
    let place = Place::with_estate().await;
    drop(place.serve(Keys).await);
    let entries = std::fs::read_dir(place.dir.join("keys/log")).unwrap();
    let entries = entries.map(|entry| entry.unwrap().path());
    let entries = entries.filter(|path| path.extension().is_some_and(|end| end == "entries"));
    let mut file = std::fs::File::options().append(true).open(entries.max().unwrap()).unwrap();
    std::io::Write::write_all(&mut file, &[0x55; 7]).unwrap();
    drop(file);
    let _keys = place.serve(Keys).await;
    let cut: Vec<_> = log(&place)
        .await
        .into_iter()
        .filter_map(|entry| match entry.event {
            Event::Recovered { bytes_cut } => Some(bytes_cut),
            _ => None,
        })
        .collect();
    assert_eq!(cut, [7]);
}
