//! Ledgers. After each step the kept counts are those of a recount, and their sum is everybody.

mod handed_over;
mod model;
mod outcomes;
mod planning;
mod returned;
mod workers;

use cofferdam_core::{Field, FieldSet};
use keys_api::WarrantId;
use response_api::{Audience, IncidentId, JournalAct, LedgerState, LetterId};
use response_letter::Told;
use response_mailing::{Batch, Holder, Outcome, Recipient, Row};
use response_server::store::Store;

use crate::support::{act, at, version};

/// The number of people of a letter, and of a planned batch.
const PEOPLE: u32 = 200;
const BATCH: u32 = 20;

/// A relay's reply, with quotes in it. It is kept unchanged.
const SAID: &str = "250 \"ok\" 'queued' \\ as 4XyZ";

fn told() -> Told {
    let fields = FieldSet::EMPTY.with(Field::Email).with(Field::Password);
    Told { fields, while_signed_in: true }
}

fn holder(name: &str) -> Holder {
    Holder(name.to_owned())
}

/// An outcome at second 3.
fn outcome(person: u32, state: LedgerState) -> Outcome {
    Outcome { person, state, provider: 1, detail: SAID.to_owned(), at: at(3) }
}

/// A running letter with its rows, the newest accounts first.
async fn planned(store: &Store) -> LetterId {
    let letter = store.letter_to(IncidentId(1), Audience::Customers, [7; 32]).await.unwrap();
    let id = letter.letter;
    let row = |person| Recipient { person, told: told(), locale: 0 };
    let rows: Vec<_> = (0..PEOPLE).rev().map(row).collect();
    for (batch, some) in (1..).zip(rows.chunks(BATCH as usize)) {
        store.plan(id, batch, some, at(1)).await.unwrap();
    }
    let start = act(1, JournalAct::StartLetter, 2);
    store.set_approved(id, version(1), WarrantId([5; 16]), &start).await.unwrap();
    assert!(store.set_running(id, version(1), &start).await.unwrap());
    check(store, id).await;
    id
}

/// Checks that the kept counts are right.
async fn check(store: &Store, id: LetterId) {
    let counts = store.counts(id).await.unwrap();
    assert_eq!(counts, store.recount(id).await.unwrap());
    assert_eq!(counts.total(), u64::from(PEOPLE));
}

/// The number of rows in a state, after a check of all counts.
async fn count(store: &Store, id: LetterId, state: LedgerState) -> u64 {
    check(store, id).await;
    store.counts(id).await.unwrap().of(state)
}

/// Claims a batch at second `now` for a minute.
async fn claim(store: &Store, id: LetterId, by: &Holder, now: i64) -> Option<Batch> {
    store.claim(id, by, (at(now), at(now + 60)), &[]).await.unwrap()
}

async fn row(store: &Store, id: LetterId, person: u32) -> Row {
    store.ledger_rows(id, None, person, 1).await.unwrap().remove(0)
}

fn people_of(batch: &Batch) -> Vec<u32> {
    batch.recipients.iter().map(|recipient| recipient.person).collect()
}
