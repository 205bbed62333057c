//! Who they are, and one of them.

use std::time::Instant;

use accounts_api::{Coarse, CoarseRow};
use cofferdam_core::{Domain, FieldSet, Record};
use cofferdam_store::Location;
use fake::rand::rngs::ChaCha8Rng;
use fake::rand::{RngExt, SeedableRng};
use response_api::IncidentId;
use response_server::population::{Population, counts};
use response_server::reading::{Readable, Source, look};
use response_server::scope::{LogKind, people};
use response_server::store::Store;

use crate::Args;
use crate::events::log_dir;
use crate::scope::{fallen, of};

const PLACES: u32 = 60;
const PERSONS: usize = 1_000;

/// Counts those read by place and language; looks single people up.
pub fn measure(args: &Args) {
    let log = Readable::open(LogKind::Release, &log_dir(&args.dir)).unwrap();
    let found = look(&log, &fallen(), of(args), Source::Index).unwrap();
    let affected = people(&found.read, Domain::Accounts);

    let started = Instant::now();
    let population = population(args.customers);
    println!("people: {} known in {:.1} s", args.customers, started.elapsed().as_secs_f64());
    let started = Instant::now();
    let places = counts(&population.jurisdictions, &affected);
    let languages = counts(&population.languages, &affected);
    println!(
        "people: {} counted by {} places and {} languages {:>9.3} s",
        affected.len(),
        places.len(),
        languages.len(),
        started.elapsed().as_secs_f64()
    );
    tokio::runtime::Runtime::new().unwrap().block_on(persons(args, &log));
}

fn population(customers: u32) -> Population {
    let mut population = Population::default();
    let all: Vec<u32> = (0..customers).collect();
    for page in all.chunks(10_000) {
        let row = |record: &u32| CoarseRow {
            record: Record(*record),
            coarse: Coarse {
                country: Some("US".parse().unwrap()),
                region: Some(format!("{:02}", record % PLACES).parse().unwrap()),
                language: ["en", "es", "fr"][(*record % 3) as usize].parse().unwrap(),
                minor: record.is_multiple_of(100),
            },
            filled: FieldSet::EMPTY,
        };
        population.put(&page.iter().map(row).collect::<Vec<_>>());
    }
    population
}

/// One person at a time, from the pages in the database.
async fn persons(args: &Args, log: &Readable) {
    let path = args.dir.join("pages.db");
    let fresh = !path.exists();
    let store = Store::open(&Location::Sqlite(path)).await.unwrap();
    let started = Instant::now();
    if fresh {
        for (number, name) in (0..).zip(log.names()) {
            let pages = response_server::pages(log, name, &fallen(), of(args)).unwrap();
            store.add_pages(IncidentId(1), number, &pages).await.unwrap();
        }
        println!("person: pages written in {:.1} s", started.elapsed().as_secs_f64());
    }
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut took = Vec::with_capacity(PERSONS);
    let mut events = 0;
    for _ in 0..PERSONS {
        let record: u32 = rng.random_range(0..args.customers);
        let [a, b, c, d] = record.to_be_bytes();
        let started = Instant::now();
        let pages = store.pages(IncidentId(1), u16::from_be_bytes([a, b])).await.unwrap();
        let low = u16::from_be_bytes([c, d]);
        events += pages.iter().flat_map(|page| page.of(low)).count();
        took.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    took.sort_by(f64::total_cmp);
    println!(
        "person: what, by whom and when: median {:.2} ms, 99 % {:.2} ms ({events} events of {PERSONS})",
        took[PERSONS / 2],
        took[PERSONS * 99 / 100]
    );
}
