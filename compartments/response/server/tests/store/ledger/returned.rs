//! Returned mail that nothing understood.

use response_api::{JournalAct, LedgerState, ReturnedDecision};

use super::{claim, holder, outcome, people_of, planned};
use crate::support::{Tables, act, at};

on_both_databases!(
    what_came_back_is_counted_and_three_messages_are_kept,
    people_without_a_decision_are_on_the_list_for_paper,
);

async fn what_came_back_is_counted_and_three_messages_are_kept(tables: &Tables) {
    let store = &tables.store;
    let id = planned(store).await;
    for second in 1..=5 {
        let seal = |number: u32| format!("sealed {number}").into_bytes();
        store.keep_returned((id, 7), at(second), 100, seal).await.unwrap();
    }
    assert_eq!(store.count_returned(id).await.unwrap(), (1, 5));
    let listed = store.returned(id, 0, false).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].person, listed[0].messages, listed[0].kept), (7, 5, 3));
    assert_eq!((listed[0].last, listed[0].decision), (at(5), None));
    for number in 0..3 {
        let kept = store.returned_text((id, 7), number).await.unwrap().unwrap();
        assert_eq!(kept.sealed, format!("sealed {number}").into_bytes());
        assert_eq!((kept.at, kept.bytes), (at(i64::from(number) + 1), 100));
    }
    assert!(store.returned_text((id, 7), 3).await.unwrap().is_none());
    assert!(store.returned(id, 8, true).await.unwrap().is_empty());
}

async fn people_without_a_decision_are_on_the_list_for_paper(tables: &Tables) {
    let store = &tables.store;
    let id = planned(store).await;
    let batch = claim(store, id, &holder("one"), 2).await.unwrap();
    let people = people_of(&batch);
    let outcomes: Vec<_> = (0..20)
        .map(|n| {
            let state = if n == 0 { LedgerState::Bounced } else { LedgerState::Accepted };
            outcome(people[n], state)
        })
        .collect();
    store.record(id, Some(&holder("one")), &outcomes).await.unwrap();
    assert_eq!(store.count_undelivered(id).await.unwrap(), 1);
    let (bounced, asked) = (people[0], people[1]);
    for person in [bounced, asked] {
        store.keep_returned((id, person), at(4), 1, |_| vec![1]).await.unwrap();
    }
    let unreached = async || -> Vec<u32> {
        let rows = store.undelivered(id, 0, 100).await.unwrap();
        assert_eq!(store.count_undelivered(id).await.unwrap() as usize, rows.len());
        rows.iter().map(|row| row.person).collect()
    };
    let mut both = vec![bounced, asked];
    both.sort_unstable();
    assert_eq!(unreached().await, both);
    let why = act(1, JournalAct::DecideReturned, 5);
    let arrived = ReturnedDecision::Arrived;
    for person in [bounced, asked] {
        store.decide_returned((id, person), arrived, &why).await.unwrap();
    }
    assert_eq!(unreached().await, [bounced], "a bounce stays one");
    assert_eq!(store.count_returned(id).await.unwrap(), (0, 2));
    assert_eq!(store.returned(id, 0, true).await.unwrap()[0].decision, Some(arrived));
    // The next message needs a decision of its own.
    store.keep_returned((id, asked), at(6), 1, |_| vec![1]).await.unwrap();
    assert_eq!(unreached().await, both);
}
