//! The letters that a fallen relay may have had.

use response_api::LedgerState;
use response_mailing::{Outcome, Postponement};

use super::{claim, holder, outcome, people_of, planned};
use crate::support::{Tables, at};

on_both_databases!(
    a_relay_had_a_letter_from_the_first_attempt_to_the_last_outcome,
    an_outcome_that_is_older_than_the_first_attempt_counts,
);

async fn a_relay_had_a_letter_from_the_first_attempt_to_the_last_outcome(tables: &Tables) {
    use LedgerState::{Accepted, Bounced, Deferred, InDoubt, Suppressed};
    let store = &tables.store;
    let id = planned(store).await;
    let one = holder("one");
    let batch = claim(store, id, &one, 2).await.unwrap();
    let [taken, late, put_off, doubted, lost, bounced, nobody, ..] = people_of(&batch)[..] else {
        panic!("a batch has more rows");
    };
    let said = |person, state, second| Outcome { at: at(second), ..outcome(person, state) };
    let record = async |outcomes: &[Outcome]| {
        store.record(id, Some(&one), outcomes).await.unwrap();
    };
    record(&[said(taken, Accepted, 10), said(late, Accepted, 30), said(bounced, Accepted, 10)])
        .await;
    record(&[said(doubted, InDoubt, 15), said(nobody, Suppressed, 15)]).await;
    let postponement = Postponement { provider: 1, attempts: 1, due: at(20) };
    store.put_off(id, &one, &[said(put_off, Deferred, 10)], postponement).await.unwrap();
    store.doubt_batch(id, &one, batch.batch, ("it died", at(40))).await.unwrap();
    super::outcomes::settle(store, id, &[], true, 41).await;
    store.came_back(id, &said(bounced, Bounced, 60)).await.unwrap();
    let mut held = Vec::new();
    while let Some(batch) = claim(store, id, &one, 50).await {
        held.push(batch.batch);
    }
    record(&[put_off, doubted, lost].map(|person| said(person, Accepted, 50))).await;
    for batch in held {
        store.release_batch(id, &one, batch).await.unwrap();
    }
    let everybody = [taken, late, put_off, doubted, lost, bounced, nobody];
    for (from, to, had) in [
        (0, 1, vec![]),
        // The time since which a letter in doubt was at the relay is unknown.
        (0, 9, vec![doubted, lost]),
        (0, 12, vec![taken, put_off, doubted, lost, bounced]),
        (11, 20, vec![put_off, doubted, lost, bounced]),
        (25, 35, vec![late, put_off, doubted, lost, bounced]),
        (51, 55, vec![bounced]),
        (61, 99, vec![]),
    ] {
        let found = store.handed_over(at(from), at(to)).await.unwrap();
        let found: Vec<_> = everybody.into_iter().filter(|of| found.contains(*of)).collect();
        assert_eq!(found, had, "{from} to {to}");
    }
    let held = claim(store, id, &one, 70).await.unwrap();
    let found = store.handed_over(at(71), at(72)).await.unwrap();
    assert!(people_of(&held).iter().all(|person| found.contains(*person)), "a worker has them now");
}

/// The outcomes of several relays' clocks come in any order.
async fn an_outcome_that_is_older_than_the_first_attempt_counts(tables: &Tables) {
    use LedgerState::{Accepted, Bounced, Deferred};
    let store = &tables.store;
    let id = planned(store).await;
    let one = holder("one");
    let batch = claim(store, id, &one, 2).await.unwrap();
    let people = people_of(&batch);
    let (again, accepted) = (people[0], people[1]);
    let said = |person, state, second| Outcome { at: at(second), ..outcome(person, state) };
    for second in [20, 15] {
        let postponement = Postponement { provider: 1, attempts: 1, due: at(25) };
        let outcomes = [said(again, Deferred, second), said(accepted, Deferred, 20)];
        store.put_off(id, &one, &outcomes, postponement).await.unwrap();
        while claim(store, id, &one, 30).await.is_some() {}
    }
    let outcomes = [said(again, Accepted, 31), said(accepted, Accepted, 15)];
    store.record(id, Some(&one), &outcomes).await.unwrap();
    store.came_back(id, &said(accepted, Bounced, 60)).await.unwrap();
    let found = store.handed_over(at(16), at(17)).await.unwrap();
    assert!(found.contains(again) && found.contains(accepted), "{found:?}");
    let found = store.handed_over(at(10), at(14)).await.unwrap();
    assert!(!found.contains(again) && !found.contains(accepted), "{found:?}");
}
