//! Planning rows, and reading them.

use response_api::{Audience, IncidentId, LedgerState, LetterId};
use response_letter::Told;
use response_mailing::Recipient;

use super::{BATCH, PEOPLE, check, claim, holder, outcome, people_of, planned, row, told};
use crate::support::{Tables, at};

on_both_databases!(
    a_row_is_planned_once,
    variants_are_counted_in_pieces_and_each_person_once,
    rows_are_read_by_person_and_state,
    people_whom_no_e_mail_reached_are_read_and_counted,
);

async fn a_row_is_planned_once(tables: &Tables) {
    let store = &tables.store;
    let id = planned(store).await;
    assert_eq!(store.last_planned_batch(id).await.unwrap(), PEOPLE / BATCH);
    assert_eq!(store.planned_people(id).await.unwrap(), (0..PEOPLE).collect());
    let again = Recipient { person: 3, told: Told::default(), locale: 4 };
    store.plan(id, PEOPLE / BATCH, &[again], at(9)).await.unwrap();
    store.plan(id, PEOPLE / BATCH + 1, &[], at(9)).await.unwrap();
    check(store, id).await;
    let kept = row(store, id, 3).await;
    assert_eq!((kept.told, kept.locale, kept.at), (told(), 0, at(1)));
    assert_eq!(store.variants(id).await.unwrap(), [(0, told(), u64::from(PEOPLE))]);
    assert_eq!(store.last_planned_batch(LetterId(9)).await.unwrap(), 0);
}

async fn variants_are_counted_in_pieces_and_each_person_once(tables: &Tables) {
    let store = &tables.store;
    let letter = store.letter_to(IncidentId(1), Audience::Customers, [7; 32]).await.unwrap();
    let people = [0, 49_999, 50_000, 99_999, 100_000, 249_999];
    let unattended = Told { while_signed_in: false, ..told() };
    let row = |(n, person): (u16, &u32)| Recipient {
        person: *person,
        told: if *person == 50_000 { unattended } else { told() },
        locale: n % 2,
    };
    let rows: Vec<_> = (0..).zip(&people).map(row).collect();
    store.plan(letter.letter, 1, &rows, at(1)).await.unwrap();
    let variants = store.variants(letter.letter).await.unwrap();
    assert_eq!(variants, [(0, unattended, 1), (0, told(), 2), (1, told(), 3)]);
}

async fn rows_are_read_by_person_and_state(tables: &Tables) {
    let store = &tables.store;
    let id = planned(store).await;
    let batch = claim(store, id, &holder("one"), 2).await.unwrap();
    let newest = people_of(&batch)[0];
    store
        .record(id, Some(&holder("one")), &[outcome(newest, LedgerState::Accepted)])
        .await
        .unwrap();
    let read = async |state, from, limit| {
        let rows = store.ledger_rows(id, state, from, limit).await.unwrap();
        rows.into_iter().map(|row| (row.person, row.state)).collect::<Vec<_>>()
    };
    let (claimed, planned) = (LedgerState::Claimed, LedgerState::Planned);
    assert_eq!(read(None, 179, 2).await, [(179, planned), (180, claimed)]);
    assert_eq!(read(None, 198, 9).await, [(198, claimed), (199, LedgerState::Accepted)]);
    let accepted = Some(LedgerState::Accepted);
    assert_eq!(read(accepted, 0, 9).await, [(199, LedgerState::Accepted)]);
    assert_eq!(read(accepted, 200, 9).await, []);
    // A claimed row counts as its earlier state.
    assert_eq!(read(Some(planned), 0, 1_000).await.len(), 199);
    assert_eq!(read(Some(claimed), 0, 1_000).await, []);
}

async fn people_whom_no_e_mail_reached_are_read_and_counted(tables: &Tables) {
    use LedgerState::{Accepted, Bounced, Complained, Expired, InDoubt, Suppressed};
    let store = &tables.store;
    let id = planned(store).await;
    let batch = claim(store, id, &holder("one"), 2).await.unwrap();
    let states = [Accepted, Bounced, Complained, Expired, InDoubt, Suppressed];
    let outcomes: Vec<_> =
        people_of(&batch).into_iter().zip(states).map(|(p, state)| outcome(p, state)).collect();
    store.record(id, Some(&holder("one")), &outcomes).await.unwrap();
    assert_eq!(store.count_undelivered(id).await.unwrap(), 3);
    let undelivered = store.undelivered(id, 0, 9).await.unwrap();
    let states: Vec<_> = undelivered.iter().map(|row| (row.person, row.state)).collect();
    assert_eq!(states, [(194, Suppressed), (196, Expired), (198, Bounced)]);
    assert_eq!(store.undelivered(id, 195, 1).await.unwrap(), undelivered[1..2]);
    assert_eq!(store.undelivered(id, 199, 9).await.unwrap(), []);
    assert_eq!(store.undeliverable().await.unwrap(), [198].into_iter().collect());
}
