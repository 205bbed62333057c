//! Workers: the batches that each holds, and their fate when a worker falls silent.

use std::collections::BTreeSet;

use response_api::{LedgerState, LetterState};
use response_mailing::{Outcome, Postponement};

use super::{PEOPLE, SAID, check, claim, count, holder, outcome, people_of, planned, row, told};
use crate::support::{Tables, at};

on_both_databases!(
    the_freshest_addresses_are_claimed_first,
    the_first_outcome_stays,
    workers_at_once_claim_everybody_once,
    a_silent_worker_leaves_doubts_that_it_can_still_settle,
    whoever_lost_a_batch_moves_nothing_of_it,
    a_letter_that_was_finished_runs_again_for_letters_that_were_never_sent,
    a_row_that_was_put_off_is_claimed_when_it_is_due,
);

async fn the_freshest_addresses_are_claimed_first(tables: &Tables) {
    let store = &tables.store;
    let id = planned(store).await;
    let batch = claim(store, id, &holder("one"), 2).await.unwrap();
    assert_eq!(people_of(&batch), (180..200).rev().collect::<Vec<_>>());
    assert!(batch.recipients.iter().all(|recipient| recipient.told == told()));
    assert_eq!(count(store, id, LedgerState::Claimed).await, 20);
    assert_eq!(row(store, id, 199).await.state, LedgerState::Claimed);
    assert_eq!(store.held_batches(id).await.unwrap(), [(batch.batch, holder("one"))]);
    store.release_batch(id, &holder("one"), batch.batch).await.unwrap();
    assert_eq!(store.held_batches(id).await.unwrap(), []);
    assert_eq!(count(store, id, LedgerState::Planned).await, u64::from(PEOPLE));
    assert_eq!(claim(store, id, &holder("two"), 2).await, Some(batch), "it is there again");
}

async fn the_first_outcome_stays(tables: &Tables) {
    let store = &tables.store;
    let id = planned(store).await;
    let one = holder("one");
    let batch = claim(store, id, &one, 2).await.unwrap();
    let states = [LedgerState::Accepted, LedgerState::Bounced, LedgerState::Suppressed];
    let done: Vec<_> = (180..199).map(|p| outcome(p, states[p as usize % 3])).collect();
    for _ in 0..2 {
        store.record(id, Some(&one), &done).await.unwrap();
        check(store, id).await;
    }
    let late = Outcome { at: at(4), ..outcome(180, LedgerState::Bounced) };
    store.record(id, Some(&one), &[late]).await.unwrap();
    let first = row(store, id, 180).await;
    assert_eq!((first.state, first.at), (LedgerState::Accepted, at(3)));
    assert_eq!(first.detail, SAID);
    store.release_batch(id, &one, batch.batch).await.unwrap();
    assert_eq!(count(store, id, LedgerState::Claimed).await, 0);
    assert_eq!(count(store, id, LedgerState::Planned).await, 181);
}

async fn workers_at_once_claim_everybody_once(tables: &Tables) {
    let store = &tables.store;
    let id = planned(store).await;
    let worker = async |name: &str| {
        let (by, mut mine) = (holder(name), Vec::new());
        while let Some(batch) = claim(store, id, &by, 2).await {
            mine.extend(people_of(&batch));
        }
        mine
    };
    let (a, b, c, d) = tokio::join!(worker("a"), worker("b"), worker("c"), worker("d"));
    let all = [a, b, c, d].concat();
    assert_eq!(all.len(), PEOPLE as usize);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), PEOPLE as usize);
    assert_eq!(count(store, id, LedgerState::Claimed).await, u64::from(PEOPLE));
}

async fn a_silent_worker_leaves_doubts_that_it_can_still_settle(tables: &Tables) {
    let store = &tables.store;
    let id = planned(store).await;
    let (a, b) = (holder("a"), holder("b"));
    let of_a = people_of(&claim(store, id, &a, 2).await.unwrap());
    claim(store, id, &b, 2).await.unwrap();
    assert_eq!(store.renew(id, &b, at(200)).await.unwrap(), 1);
    assert_eq!(store.take_over(id, at(62)).await.unwrap(), 0, "the lease of a runs");
    assert_eq!(store.take_over(id, at(63)).await.unwrap(), 20);
    assert_eq!(count(store, id, LedgerState::InDoubt).await, 20);
    assert_eq!(row(store, id, of_a[0]).await.detail, "its worker a fell silent");
    assert_eq!(store.held_batches(id).await.unwrap().len(), 1, "b goes on");

    // Worker a had sent one letter, another was on the wire, and it never tried the rest.
    let known = [outcome(of_a[0], LedgerState::Accepted), outcome(of_a[1], LedgerState::InDoubt)];
    store.record(id, Some(&a), &known).await.unwrap();
    assert_eq!(count(store, id, LedgerState::InDoubt).await, 19);
    assert_eq!(store.replan_unsent(id, &b, at(102)).await.unwrap(), 0, "b is not silent");
    assert_eq!(store.replan_unsent(id, &a, at(102)).await.unwrap(), 18);
    assert_eq!(count(store, id, LedgerState::InDoubt).await, 1);
    assert_eq!(row(store, id, of_a[1]).await.detail, SAID);
    assert_eq!(row(store, id, of_a[2]).await.detail, "");
    assert_eq!(store.replan_unsent(id, &a, at(103)).await.unwrap(), 0);
    check(store, id).await;
}

async fn whoever_lost_a_batch_moves_nothing_of_it(tables: &Tables) {
    let store = &tables.store;
    let id = planned(store).await;
    let a = holder("a");
    let batch = claim(store, id, &a, 2).await.unwrap();
    let people = people_of(&batch);
    assert_eq!(store.take_over(id, at(100)).await.unwrap(), 20);
    store.release_batch(id, &a, batch.batch).await.unwrap();
    let late = ("late", at(101));
    assert_eq!(store.doubt_batch(id, &a, batch.batch, late).await.unwrap(), 0);
    let postponement = Postponement { provider: 3, attempts: 1, due: at(200) };
    let put_off = [outcome(people[0], LedgerState::Deferred)];
    store.put_off(id, &a, &put_off, postponement).await.unwrap();
    assert_eq!(count(store, id, LedgerState::InDoubt).await, 20);

    // The relay's log settled nothing, and the rest was replanned. Then worker a returns.
    assert_eq!(super::outcomes::settle(store, id, &[], true, 103).await, 20);
    let known =
        [outcome(people[0], LedgerState::InDoubt), outcome(people[1], LedgerState::Accepted)];
    store.record(id, Some(&a), &known).await.unwrap();
    assert_eq!(count(store, id, LedgerState::InDoubt).await, 0, "a doubt moves no replanned row");
    assert_eq!(count(store, id, LedgerState::Accepted).await, 1, "a letter goes out once");
}

async fn a_letter_that_was_finished_runs_again_for_letters_that_were_never_sent(tables: &Tables) {
    let store = &tables.store;
    let id = planned(store).await;
    let (a, b) = (holder("a"), holder("b"));
    let of_a = people_of(&claim(store, id, &a, 2).await.unwrap());
    assert!(!store.set_finished(id, at(3)).await.unwrap(), "rows are open");
    let mut of_b = Vec::new();
    while let Some(batch) = claim(store, id, &b, 60).await {
        let accepted = |person| outcome(person, LedgerState::Accepted);
        of_b.extend(people_of(&batch).into_iter().map(accepted));
    }
    store.record(id, Some(&b), &of_b).await.unwrap();
    assert_eq!(store.take_over(id, at(70)).await.unwrap(), of_a.len() as u64);
    assert!(store.set_finished(id, at(71)).await.unwrap());
    assert!(!store.set_finished(id, at(71)).await.unwrap(), "it is finished once");
    assert_eq!(store.replan_unsent(id, &a, at(72)).await.unwrap(), of_a.len() as u64);
    let letter = store.letter(id).await.unwrap().unwrap();
    assert_eq!((letter.state, letter.finished), (LetterState::Running, None));
    check(store, id).await;
}

async fn a_row_that_was_put_off_is_claimed_when_it_is_due(tables: &Tables) {
    let store = &tables.store;
    let id = planned(store).await;
    let by = holder("one");
    let batch = claim(store, id, &by, 2).await.unwrap();
    let deferred = |person: &u32| outcome(*person, LedgerState::Deferred);
    let rows: Vec<_> = people_of(&batch)[..8].iter().map(deferred).collect();
    let postponement = Postponement { provider: 3, attempts: 2, due: at(1_000) };
    store.put_off(id, &by, &rows, postponement).await.unwrap();
    assert_eq!(count(store, id, LedgerState::Deferred).await, 8);
    let died = ("it died", at(4));
    assert_eq!(store.doubt_batch(id, &by, batch.batch, died).await.unwrap(), 12);
    assert_eq!(count(store, id, LedgerState::Deferred).await, 8, "nobody had them in hand");
    while let Some(batch) = claim(store, id, &by, 999).await {
        assert_eq!(batch.attempts, 0, "it is not due");
    }
    let until = (at(1_000), at(2_000));
    assert_eq!(store.claim(id, &by, until, &[3]).await.unwrap(), None);
    let due = store.claim(id, &by, until, &[33, 13]).await.unwrap().unwrap();
    assert_eq!((due.attempts, people_of(&due)), (2, people_of(&batch)[..8].to_vec()));
    // A deferred row of a held batch may be on the wire as well.
    assert_eq!(store.doubt_batch(id, &by, due.batch, died).await.unwrap(), 8);
    assert_eq!(count(store, id, LedgerState::InDoubt).await, 20);
}
