//! `keys` is killed again and again under load. No answered release is missing from the log, and
//! none stands in it twice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cofferdam_core::{Domain, Field, FieldSet, Operation, Record, Rng, SystemRng};
use cofferdam_wire::Client;
use estate::Compartment::{Accounts, Keys, Response};
use keys_api::{Event, KeyGroup, ReleaseKeys};

use crate::crash::log;
use crate::support::Place;

/// The number of times that `keys` is killed, unless `COFFERDAM_KILLS` gives another.
const KILLS: u32 = 100;
/// The span after an answer of `keys` in which it is killed at a random instant.
const ALIVE: Duration = Duration::from_millis(60);
/// Clients that ask for keys at the same time.
const LOADERS: usize = 4;
/// Records of one call.
const BATCH: u32 = 3;

/// The calls that all clients made so far.
#[derive(Clone, Default)]
struct Load {
    /// The first record of the next call.
    next: Arc<AtomicU32>,
    /// The first record of each call that was answered.
    answered: Arc<Mutex<Vec<u32>>>,
    stop: Arc<AtomicBool>,
}

/// Asks for keys of new records, one call after the other, whether `keys` answers or not.
async fn ask_for_keys(keys: Client, load: Load) {
    while !load.stop.load(Ordering::Relaxed) {
        let first = load.next.fetch_add(BATCH, Ordering::Relaxed);
        let group = KeyGroup {
            fields: FieldSet::EMPTY.with(Field::Name),
            unset: FieldSet::EMPTY,
            epoch: None,
            records: (first..first + BATCH).map(Record).collect(),
        };
        let call = ReleaseKeys {
            domain: Domain::Accounts,
            caller: "import-1".parse().unwrap(),
            operation: Operation::Seal,
            groups: vec![group],
            warrant: None,
            presence: None,
        };
        match keys.call(&call).await {
            Ok(released) => {
                assert!(released.answers(&call));
                load.answered.lock().unwrap().push(first);
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(2)).await,
        }
    }
}

/// Waits until `keys` answers, with short pauses so that a kill can follow soon.
async fn wait_for_answer(client: &Client) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !client.is_healthy().await {
        assert!(Instant::now() < deadline, "keys does not come up");
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answered_release_is_missing_however_often_keys_dies() {
    let kills = std::env::var("COFFERDAM_KILLS").map_or(KILLS, |n| n.parse().unwrap());
    let place = Place::with_estate().await;
    let load = Load::default();
    let loaders: Vec<_> = (0..LOADERS)
        .map(|_| tokio::spawn(ask_for_keys(place.keys_as(Accounts), load.clone())))
        .collect();
    let controller = place.keys_as(Response);
    for _ in 0..kills {
        let mut keys = place.spawn(Keys, "keys");
        wait_for_answer(&controller).await;
        let [random] = (&SystemRng as &dyn Rng).bytes::<1>();
        tokio::time::sleep(ALIVE * u32::from(random) / 255).await;
        keys.kill();
    }
    load.stop.store(true, Ordering::Relaxed);
    for loader in loaders {
        loader.await.unwrap();
    }
    let mut keys = place.spawn(Keys, "keys");
    wait_for_answer(&controller).await;
    let mut logged: BTreeMap<u32, u32> = BTreeMap::new();
    for entry in log(&place).await {
        if let Event::Released { records, .. } = entry.event {
            for record in records.as_slice() {
                *logged.entry(record.0).or_default() += 1;
            }
        }
    }
    keys.kill();
    let answered = load.answered.lock().unwrap().clone();
    let records = answered.iter().flat_map(|first| *first..first + BATCH);
    let missing: Vec<u32> = records.filter(|record| !logged.contains_key(record)).collect();
    assert!(missing.is_empty(), "answered and not in the log: {missing:?}");
    let twice: Vec<_> = logged.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "in the log twice: {twice:?}");
    assert!(answered.len() > kills as usize, "only {} calls were answered", answered.len());
    let (calls, records) = (answered.len(), logged.len());
    eprintln!("{kills} kills, {calls} answered calls, {records} records logged");
}
