//! The people of an exposure by place and language, and the history of one person.

use std::time::Instant;

use accounts_api::{Coarse, CoarseRow};
use cofferdam_core::{Domain, FieldSet, Record};
use cofferdam_store::Location;
use fake::rand::rngs::ChaCha8Rng;
use fake::rand::{RngExt, SeedableRng};
use response_api::IncidentId;
use response_exposure::{
    IndexedLog, Population, Source, page_of, pages_of_segment, people, read_log,
};
use response_server::logs::FileLog;
use response_server::store::Store;

use crate::Args;
use crate::scope::{fallen, of, open_log};

const PLACES: u32 = 60;
const PERSONS: usize = 1_000;

/// Counts the people with read fields by place and language, and looks single people up.
pub fn measure(args: &Args) {
    let log = open_log(args);
    let found = read_log(&log, &fallen(), of(args), Source::Index).unwrap();
    let affected = people(&found.levels.read, Domain::Accounts);

    let started = Instant::now();
    let population = population(args.customers);
    println!("people: {} known in {:.1} s", args.customers, started.elapsed().as_secs_f64());
    let started = Instant::now();
    let places = population.count_jurisdictions(&affected);
    let languages = population.count_languages(&affected);
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

/// Looks one person up at a time, from the pages in the database.
async fn persons(args: &Args, log: &FileLog) {
    let path = args.dir.join("pages.db");
    let fresh = !path.exists();
    let store = Store::open(&Location::Sqlite(path)).await.unwrap();
    let started = Instant::now();
    if fresh {
        for (number, segment) in (0..).zip(log.segments()) {
            let pages = pages_of_segment(log, segment, &fallen(), of(args)).unwrap();
            store.add_pages(IncidentId(1), number, &pages).await.unwrap();
        }
        println!("person: pages written in {:.1} s", started.elapsed().as_secs_f64());
    }
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut took = Vec::with_capacity(PERSONS);
    let mut events = 0;
    for _ in 0..PERSONS {
        let record: u32 = rng.random_range(0..args.customers);
        let (number, low) = page_of(record);
        let started = Instant::now();
        let pages = store.pages(IncidentId(1), number).await.unwrap();
        events += pages.iter().flat_map(|page| page.slots_of(low)).count();
        took.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    took.sort_by(f64::total_cmp);
    println!(
        "person: what, by whom and when: median {:.2} ms, 99 % {:.2} ms ({events} events of {PERSONS})",
        took[PERSONS / 2],
        took[PERSONS * 99 / 100]
    );
}
