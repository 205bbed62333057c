//! Returned mail that nothing understood.

use response_api::{JournalAct, LedgerState, ReturnedDecision};
use response_server::store::Decided;

use super::{claim, holder, outcome, people_of, planned};
use crate::support::{Tables, act, at};

on_both_databases!(
    what_came_back_is_counted_and_three_messages_are_kept,
    people_without_a_decision_are_on_the_list_for_paper,
    a_decision_is_about_the_messages_that_were_seen,
    a_letter_that_is_still_being_sent_is_not_decided_about,
    everybody_is_listed_page_by_page,
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
        let came = (at(i64::from(number) + 1), 100, 5);
        assert_eq!((kept.at, kept.bytes, kept.messages), came);
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
        let decided = store.decide_returned((id, person), 1, arrived, &why).await.unwrap();
        assert_eq!(decided, Decided::Stands);
    }
    assert_eq!(unreached().await, [bounced], "a bounce stays one");
    assert_eq!(store.count_returned(id).await.unwrap(), (0, 2));
    assert_eq!(store.returned(id, 0, true).await.unwrap()[0].decision, Some(arrived));
    // The next message needs a decision of its own.
    store.keep_returned((id, asked), at(6), 1, |_| vec![1]).await.unwrap();
    assert_eq!(unreached().await, both);
}

async fn a_decision_is_about_the_messages_that_were_seen(tables: &Tables) {
    let store = &tables.store;
    let id = planned(store).await;
    let batch = claim(store, id, &holder("one"), 2).await.unwrap();
    let person = people_of(&batch)[0];
    let sent = [outcome(person, LedgerState::Accepted)];
    store.record(id, Some(&holder("one")), &sent).await.unwrap();
    let why = act(1, JournalAct::DecideReturned, 5);
    let decide = async |seen, decision| {
        store.decide_returned((id, person), seen, decision, &why).await.unwrap()
    };
    let (arrived, not_reached) = (ReturnedDecision::Arrived, ReturnedDecision::NotReached);
    assert_eq!(decide(0, arrived).await, Decided::NothingCame);
    for second in [4, 6] {
        store.keep_returned((id, person), at(second), 1, |_| vec![1]).await.unwrap();
    }
    // The second message came after staff looked, or there is no third.
    for (seen, decision) in [(1, arrived), (1, not_reached), (3, arrived), (0, arrived)] {
        assert_eq!(decide(seen, decision).await, Decided::NotSeen { messages: 2 });
    }
    let state = async || store.ledger_rows(id, None, person, 1).await.unwrap()[0].state;
    let acts = async || {
        let entries = store.read_journal(why.incident).await.unwrap();
        entries.iter().filter(|entry| entry.action == JournalAct::DecideReturned).count()
    };
    assert_eq!(state().await, LedgerState::Accepted);
    assert_eq!(store.count_returned(id).await.unwrap(), (1, 2), "it stays open");
    assert_eq!(acts().await, 0);
    assert_eq!(decide(2, not_reached).await, Decided::Stands);
    assert_eq!(state().await, LedgerState::Bounced);
    assert_eq!(store.count_returned(id).await.unwrap(), (0, 2));
    assert_eq!(acts().await, 1);
}

async fn a_letter_that_is_still_being_sent_is_not_decided_about(tables: &Tables) {
    let store = &tables.store;
    let id = planned(store).await;
    store.keep_returned((id, 7), at(4), 1, |_| vec![1]).await.unwrap();
    let why = act(1, JournalAct::DecideReturned, 5);
    let not_reached = ReturnedDecision::NotReached;
    let decided = store.decide_returned((id, 7), 1, not_reached, &why).await.unwrap();
    assert_eq!(decided, Decided::TooEarly);
    assert_eq!(store.count_returned(id).await.unwrap(), (1, 1), "it stays open");
}

async fn everybody_is_listed_page_by_page(tables: &Tables) {
    let store = &tables.store;
    let id = planned(store).await;
    for person in 0..1_001 {
        store.keep_returned((id, person), at(4), 1, |_| vec![1]).await.unwrap();
    }
    let page = async |from| -> Vec<u32> {
        let people = store.returned(id, from, false).await.unwrap();
        people.iter().map(|of| of.person).collect()
    };
    let first = page(0).await;
    assert_eq!((first.len(), first.last()), (1_000, Some(&999)));
    assert_eq!(page(1_000).await, [1_000]);
    assert_eq!(page(1_001).await, [0; 0]);
}
