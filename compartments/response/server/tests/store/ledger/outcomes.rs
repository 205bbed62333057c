//! Outcomes from elsewhere: a relay's log, and returned mail.

use response_api::{JournalAct, LedgerState, LetterId};
use response_mailing::{CameBack, Outcome, Postponement};
use response_server::store::Store;

use super::{SAID, claim, count, holder, outcome, people_of, planned, row};
use crate::support::{Tables, act, at};

on_both_databases!(
    a_relays_log_settles_doubts,
    a_log_with_gaps_replans_nothing,
    a_letter_that_came_back_was_sent_before,
);

/// Settles doubts from a relay's log. Returns the number of replanned rows.
pub async fn settle(
    store: &Store,
    id: LetterId,
    accepted: &[Outcome],
    is_complete: bool,
    second: i64,
) -> u64 {
    let why = |_| act(1, JournalAct::SettleLetter, second);
    store.settle(id, (accepted, is_complete), at(second), why).await.unwrap()
}

async fn a_relays_log_settles_doubts(tables: &Tables) {
    let store = &tables.store;
    let id = planned(store).await;
    let batch = claim(store, id, &holder("one"), 2).await.unwrap();
    let died = ("it died", at(3));
    assert_eq!(store.doubt_batch(id, &holder("one"), batch.batch, died).await.unwrap(), 20);
    let sent = people_of(&batch)[0];
    let known = [outcome(sent, LedgerState::Accepted)];
    assert_eq!(settle(store, id, &known, true, 5).await, 19);
    assert_eq!(settle(store, id, &known, true, 6).await, 0);
    assert_eq!(count(store, id, LedgerState::InDoubt).await, 0);
    let accepted = row(store, id, sent).await;
    assert_eq!((accepted.state, accepted.detail.as_str()), (LedgerState::Accepted, SAID));
    let mut again = Vec::new();
    while let Some(batch) = claim(store, id, &holder("two"), 6).await {
        again.extend(people_of(&batch));
    }
    assert_eq!(again.len(), 199);
    assert!(!again.contains(&sent), "a letter goes out once");
}

async fn a_log_with_gaps_replans_nothing(tables: &Tables) {
    let store = &tables.store;
    let id = planned(store).await;
    let batch = claim(store, id, &holder("one"), 2).await.unwrap();
    let died = ("it died", at(3));
    store.doubt_batch(id, &holder("one"), batch.batch, died).await.unwrap();
    let known = [outcome(people_of(&batch)[0], LedgerState::Accepted)];
    assert_eq!(settle(store, id, &known, false, 5).await, 0);
    assert_eq!(count(store, id, LedgerState::InDoubt).await, 19);
    assert_eq!(count(store, id, LedgerState::Accepted).await, 1);
}

async fn a_letter_that_came_back_was_sent_before(tables: &Tables) {
    let store = &tables.store;
    let id = planned(store).await;
    let one = holder("one");
    let people = people_of(&claim(store, id, &one, 2).await.unwrap());
    let sent =
        [outcome(people[0], LedgerState::Accepted), outcome(people[1], LedgerState::InDoubt)];
    store.record(id, Some(&one), &sent).await.unwrap();
    let postponement = Postponement { provider: 3, attempts: 1, due: at(200) };
    let deferred = [outcome(people[2], LedgerState::Deferred)];
    store.put_off(id, &one, &deferred, postponement).await.unwrap();
    let bounced = |person| Outcome { at: at(4), ..outcome(person, LedgerState::Bounced) };
    let moved = CameBack::Moved { provider: 1 };
    for (person, expected, bounces) in [
        (people[0], moved, 1),
        (people[0], CameBack::Ignored, 1),
        (people[1], moved, 2),
        (people[2], CameBack::TooEarly, 2),
        (people[3], CameBack::TooEarly, 2),
        (0, CameBack::TooEarly, 2),
        (super::PEOPLE, CameBack::Ignored, 2),
    ] {
        let answer = store.came_back(id, &bounced(person)).await.unwrap();
        assert_eq!(answer, expected, "person {person}");
        assert_eq!(count(store, id, LedgerState::Bounced).await, bounces);
    }
    let complained = outcome(people[0], LedgerState::Complained);
    assert_eq!(store.came_back(id, &complained).await.unwrap(), CameBack::Ignored);
}
