//! A compartment is killed while somebody reads: the release log has every release that was
//! answered.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use accounts_api::ReadCustomers;
use cofferdam_core::{Field, FieldSet, Operation, Record};
use cofferdam_wire::Client;
use keys_api::{Entry, Event, ReadEntries};
use nix::sys::signal::Signal;

use crate::support::{Place, Process, until};

const CUSTOMERS: u32 = 400;

type Reads = BTreeSet<(Record, Field)>;

/// Reads every customer once, two fields each, until told to stop; what was answered.
async fn read_on(accounts: Client, part: u32, stop: Arc<AtomicBool>, seen: Arc<Mutex<Reads>>) {
    for number in (part..CUSTOMERS).step_by(4) {
        let fields = FieldSet::EMPTY.with(Field::Name).with(Field::Phone);
        let call = ReadCustomers { records: vec![Record(number)], fields };
        // While something is down a read fails; then the next one is tried.
        let answer = accounts.call(&call).await.unwrap_or_default();
        for customer in answer {
            let fields = customer.fields.keys().map(|field| (customer.record, *field));
            seen.lock().unwrap().extend(fields);
        }
        if stop.load(Ordering::Relaxed) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// All that was released to `web-ky-2`, from the whole log, and how often it was cut.
async fn logged(place: &Place) -> (Reads, usize) {
    let controller = place.controller();
    let (mut reads, mut recovered, mut from) = (Reads::new(), 0, 0);
    loop {
        let page = controller.call(&ReadEntries { from, limit: 1_000 }).await.unwrap().entries;
        if page.is_empty() {
            return (reads, recovered);
        }
        from += page.len() as u64;
        for entry in page {
            match Entry::decode(&entry).unwrap().event {
                Event::Released { caller, operation, fields, records, .. }
                    if caller.as_str() == "web-ky-2" && operation == Operation::Release =>
                {
                    for record in records.as_slice() {
                        reads.extend(fields.iter().map(|field| (*record, field)));
                    }
                }
                Event::Recovered { .. } => recovered += 1,
                _ => {}
            }
        }
    }
}

async fn kill_during_reads(victim: &str) {
    let place = Place::new();
    place.make();
    let mut keys = place.serve("keys").await;
    let mut accounts = place.serve("accounts").await;
    place.import(CUSTOMERS);

    let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Reads::new())));
    let readers: Vec<_> = (0..4)
        .map(|part| {
            let client = place.client("accounts", "web-ky-2");
            tokio::spawn(read_on(client, part, stop.clone(), seen.clone()))
        })
        .collect();
    until("some reads", async || seen.lock().unwrap().len() > 60).await;
    let process: &mut Process = if victim == "keys" { &mut keys } else { &mut accounts };
    process.signal(Signal::SIGKILL);
    process.child.wait().unwrap();
    let before = seen.lock().unwrap().len();
    *process = place.serve(victim).await;
    until("reads after the restart", async || seen.lock().unwrap().len() > before + 20).await;
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }

    let answered = seen.lock().unwrap().clone();
    let (released, _) = logged(&place).await;
    let forgotten: Vec<_> = answered.difference(&released).collect();
    assert!(forgotten.is_empty(), "answered and not in the log: {forgotten:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_is_killed() {
    kill_during_reads("keys").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_is_killed() {
    kill_during_reads("accounts").await;
}

/// What a crash left half-written is cut, and told.
#[tokio::test]
async fn a_torn_end_is_reported() {
    let place = Place::new();
    place.make();
    drop(place.serve("keys").await);
    let entries = place.dir.join("keys/log/entries");
    let mut file = std::fs::File::options().append(true).open(entries).unwrap();
    std::io::Write::write_all(&mut file, &[0x55; 7]).unwrap();
    drop(file);
    let _keys = place.serve("keys").await;
    assert_eq!(logged(&place).await.1, 1);
}
