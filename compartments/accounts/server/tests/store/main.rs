//! The same storage tests on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

mod credentials;
mod moving;

use accounts_api::{Changes, Coarse, VoidOutcome};
use accounts_server::domain::alone::{self, Ordered};
use accounts_server::domain::import::Reject;
use accounts_server::domain::orders::Orders;
use accounts_server::domain::password::{Cost, Scheme};
use accounts_server::store::{
    By, Credential, ImportProgress, KeptSession, NewCustomer, OverEverybody, OverSome, Store,
    is_address_taken,
};
use cofferdam_core::{Epoch, Field, FreezeCaller, KeyBytes, Record, SeededRng, Timestamp};
use cofferdam_store::{Location, StoreError};
use credentials::{
    a_credential_is_found_by_address, a_passkey_is_one_customers_and_goes_with_the_customer,
};
use keys_api::PresenceTicket;
use keys_client::AtRest;
use moving::{an_erasure_during_a_move_leaves_nothing, customers_move_with_all_that_rests};
use roaring::RoaringBitmap;

/// Runs each test on both backends.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                let dir = tempfile::tempdir().unwrap();
                let path = dir.path().join("accounts.db").display().to_string();
                super::$name(&super::open(&super::Location::from(path)).await).await;
            })*
        }

        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                let database = testkit::postgres::Database::create().await;
                super::$name(&super::open(&database.location()).await).await;
            })*
        }
    };
}

on_both! {
    customers_read_back
    an_address_is_taken_once
    many_are_written_and_found
    a_credential_is_found_by_address
    a_passkey_is_one_customers_and_goes_with_the_customer
    customers_move_with_all_that_rests
    an_erasure_during_a_move_leaves_nothing
    numbers_are_reserved_once
    a_key_of_numbers_is_drawn_once
    sessions_are_kept_counted_and_swept
    sessions_that_a_host_could_see_are_found
    changes_are_read_and_forgotten_ones_are_reported
    a_reset_is_used_once
    orders_survive
    frozen_callers_survive
    imports_add_up
}

async fn a_key_of_numbers_is_drawn_once(store: &Store) {
    let draw = async |seed| store.number_key(&SeededRng::new(seed)).await.unwrap().unwrap();
    let first = draw(1).await;
    assert_eq!(draw(2).await.expose(), first.expose());
}

async fn open(location: &Location) -> Store {
    Store::open(location).await.unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn customer(n: u32) -> NewCustomer {
    let texts = [
        Some((Field::Name, n.to_be_bytes().repeat(8))),
        Some((Field::Email, vec![2; 33])),
        n.is_multiple_of(2).then(|| (Field::Phone, vec![9; 40])),
        n.is_multiple_of(3).then(|| (Field::ShippingAddress, vec![10; 40])),
        n.is_multiple_of(7).then(|| (Field::CardLast4, vec![11; 40])),
    ];
    NewCustomer {
        record: Record(n),
        epoch: Epoch(3),
        coarse: Coarse {
            country: (!n.is_multiple_of(5)).then(|| "US".parse().unwrap()),
            region: None,
            language: "en".parse().unwrap(),
            minor: n % 2 == 1,
        },
        email_index: bare(index(n)),
        sealed: texts.into_iter().flatten().collect(),
        credential: Credential {
            scheme: Scheme::Argon2id(Cost::NOW),
            salt: vec![7; 16],
            verifier: bare(vec![8; 32]),
            set_at: at(i64::from(n)),
        },
    }
}

fn index(n: u32) -> Vec<u8> {
    n.to_be_bytes().repeat(8)
}

fn bare(bytes: Vec<u8>) -> AtRest {
    AtRest { half: None, bytes }
}

async fn write(store: &Store, numbers: impl Iterator<Item = u32>) -> Result<(), StoreError> {
    let customers: Vec<NewCustomer> = numbers.map(customer).collect();
    let mut tx = store.begin().await?;
    store.insert_customers(&mut tx, &customers, at(0)).await?;
    Ok(tx.commit().await?)
}

async fn customers_read_back(store: &Store) {
    write(store, [3, 6, 14].into_iter()).await.unwrap();
    let asked: Vec<Record> = [3, 4, 14].map(Record).to_vec();
    let found = store.sealed_customers(&asked).await.unwrap();
    assert_eq!(found.iter().map(|c| c.record.0).collect::<Vec<_>>(), [3, 14]);
    for read in &found {
        let written = customer(read.record.0);
        assert_eq!((&read.sealed, read.epoch), (&written.sealed, written.epoch));
    }
    assert_eq!(found[1].sealed[&Field::Phone], [9; 40]);
    assert_eq!(found[1].sealed.get(&Field::BillingAddress), None);

    let coarse = store.coarse(Record(4), 10).await.unwrap();
    assert_eq!(coarse.iter().map(|c| c.record.0).collect::<Vec<_>>(), [6, 14]);
    assert_eq!(coarse[0].coarse, customer(6).coarse);
    let fields = [Field::Name, Field::Email, Field::Phone];
    let six = fields.into_iter().chain([Field::ShippingAddress]).collect();
    let fourteen = fields.into_iter().chain([Field::CardLast4]).collect();
    assert_eq!([coarse[0].filled, coarse[1].filled], [six, fourteen]);
    assert_eq!(found[1].filled(), fourteen, "the list and the row disagree");
    assert_eq!(store.coarse(Record(0), 1).await.unwrap().len(), 1);
}

async fn an_address_is_taken_once(store: &Store) {
    write(store, 1..3).await.unwrap();
    let mut twin = customer(9);
    twin.email_index = bare(index(2));
    let mut tx = store.begin().await.unwrap();
    let error = store.insert_customers(&mut tx, &[customer(8), twin], at(0)).await.unwrap_err();
    assert!(is_address_taken(&error), "{error}");
    drop(tx);
    // A number that is taken is a fault of ours, and says nothing about the address.
    let same_number = NewCustomer { email_index: bare(index(9)), ..customer(2) };
    let mut tx = store.begin().await.unwrap();
    let error = store.insert_customers(&mut tx, &[same_number], at(0)).await.unwrap_err();
    assert!(!is_address_taken(&error), "{error}");
    drop(tx);
    let found = store.find_all(&[index(8)]).await.unwrap();
    assert!(found.is_empty(), "half of it was written");
    assert!(store.sealed_customers(&[Record(8)]).await.unwrap().is_empty());
}

async fn many_are_written_and_found(store: &Store) {
    write(store, 0..1_234).await.unwrap();
    let indexes: Vec<_> = (1_000..2_100).map(index).collect();
    let found = store.find_all(&indexes).await.unwrap();
    assert_eq!(found.len(), 234);
    assert_eq!(found[&index(1_233)], Record(1_233));
    let all: Vec<Record> = (0..1_234).map(Record).collect();
    let read = store.sealed_customers(&all).await.unwrap();
    assert!(read.iter().map(|c| c.record).eq(all));
    assert_eq!(store.count_set_before(at(99)).await.unwrap(), 100);
}

async fn numbers_are_reserved_once(store: &Store) {
    assert_eq!(store.db().reserve_numbers(10_000).await.unwrap(), Some(Record(0)));
    let db = store.db();
    let (first, second) = tokio::join!(db.reserve_numbers(5), db.reserve_numbers(5));
    let mut both = [first.unwrap().unwrap().0, second.unwrap().unwrap().0];
    both.sort_unstable();
    assert_eq!(both, [10_000, 10_005]);
    assert_eq!(db.reserve_numbers(u32::MAX).await.unwrap(), None, "past the last number");
    assert_eq!(db.reserve_numbers(1).await.unwrap(), Some(Record(10_010)));
}

async fn sessions_are_kept_counted_and_swept(store: &Store) {
    let session = |record, opened, expires| KeptSession {
        record: Record(record),
        caller: "web-1".parse().unwrap(),
        group: "web".parse().unwrap(),
        ticket: Some(ticket(opened)),
        opened: at(opened),
        expires: at(expires),
    };
    let web = "web-1".parse().unwrap();
    let orders = store.db().generation().await.unwrap();
    let insert = async |token: [u8; 32], session: &KeptSession| {
        store.insert_session(&token, session, orders).await.unwrap()
    };
    for (token, kept) in [([1; 32], session(1, 10, 100)), ([2; 32], session(1, 20, 110))] {
        assert!(insert(token, &kept).await);
        let (found, seen) = store.session(&token, &web).await.unwrap().unwrap();
        assert!(seen, "it was opened there");
        let shown = |of: &KeptSession| {
            let mac = of.ticket.as_ref().map(|of| (of.given, of.until, *of.mac.expose()));
            (of.record, of.caller.clone(), of.group.clone(), of.opened, of.expires, mac)
        };
        assert_eq!(shown(&found), shown(&kept));
    }
    assert!(insert([3; 32], &session(2, 30, 120)).await);
    let count = async |after: Option<i64>, until, now| {
        store.count_sessions(after.map(at), at(until), at(now)).await.unwrap()
    };
    assert_eq!(count(None, 20, 99).await, 2);
    assert_eq!(count(Some(10), 20, 99).await, 1);
    assert_eq!(count(None, 30, 100).await, 2);
    let mut tx = store.begin().await.unwrap();
    store.end_sessions_of(&mut tx, Record(1), at(50)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(store.session(&[1; 32], &web).await.unwrap().is_none());
    assert_eq!(count(None, 30, 60).await, 1);
    assert_eq!(store.sweep(at(500), at(99)).await.unwrap(), 0);
    assert_eq!(store.sweep(at(500), at(110)).await.unwrap(), 2);
    assert!(insert([4; 32], &session(2, 30, 120)).await);
    store.end_session(&[4; 32], at(60)).await.unwrap();
    assert!(store.session(&[4; 32], &web).await.unwrap().is_none());

    let order = store.db().begin_shared_change().await.unwrap();
    order.commit().await.unwrap();
    assert!(!insert([5; 32], &session(2, 70, 120)).await, "an order came");
    assert!(store.session(&[5; 32], &web).await.unwrap().is_none());
}

fn ticket(second: i64) -> PresenceTicket {
    PresenceTicket { given: at(second), until: at(second + 60), mac: KeyBytes::new([6; 32]) }
}

async fn sessions_that_a_host_could_see_are_found(store: &Store) {
    let keep = async |token: u8, record, caller: &str, opened, expires| {
        let caller = caller.parse().unwrap();
        let (opened, expires) = (at(opened), at(expires));
        let (record, group, ticket) = (Record(record), "web".parse().unwrap(), None);
        let session = KeptSession { record, caller, group, ticket, opened, expires };
        let orders = store.db().generation().await.unwrap();
        assert!(store.insert_session(&[token; 32], &session, orders).await.unwrap());
    };
    keep(1, 1, "web-1", 10, 500).await; // opened before, ended within the window
    keep(2, 2, "web-1", 150, 500).await; // opened within the window
    keep(3, 3, "web-2", 150, 500).await; // at another caller
    keep(4, 4, "web-1", 10, 99).await; // expired before
    keep(5, 5, "web-1", 10, 500).await; // ended before
    keep(6, 6, "web-1", 201, 500).await; // opened after
    store.end_session(&[1; 32], at(120)).await.unwrap();
    store.end_session(&[5; 32], at(90)).await.unwrap();
    keep(7, 7, "web-2", 10, 500).await; // seen here before
    keep(8, 8, "web-2", 10, 500).await; // first seen here within the window
    keep(9, 9, "web-2", 10, 500).await; // first seen here after
    for (token, first) in [(7, 50), (8, 150), (9, 201)] {
        let here = "web-1".parse().unwrap();
        for _ in 0..2 {
            store.note_place(&[token; 32], &here, at(first)).await.unwrap();
        }
        assert!(store.session(&[token; 32], &here).await.unwrap().unwrap().1);
        let third = "web-3".parse().unwrap();
        assert!(!store.session(&[token; 32], &third).await.unwrap().unwrap().1);
    }
    let (web, window) = ("web-1".parse().unwrap(), (at(100), at(200)));
    let seen = async |caller| {
        let seen = store.sessions_within(caller, window.0, window.1).await.unwrap();
        [seen.opened, seen.held].map(|records| records.iter().collect::<Vec<_>>())
    };
    assert_eq!(seen(Some(&web)).await, [vec![2, 8], vec![1, 7]]);
    assert_eq!(seen(None).await, [vec![2, 3], vec![1, 7, 8, 9]]);

    for (record, second) in [(7, 99), (8, 100), (9, 200), (10, 201)] {
        store.insert_mailed(Record(record), at(second)).await.unwrap();
    }
    let mailed = store.mailed(window.0, window.1).await.unwrap();
    assert_eq!(mailed.iter().collect::<Vec<_>>(), [8, 9]);
}

async fn changes_are_read_and_forgotten_ones_are_reported(store: &Store) {
    write(store, 0..5).await.unwrap();
    write(store, [7, 9].into_iter()).await.unwrap();
    store.erase_customer(Record(3), at(50)).await.unwrap();
    let all = store.changes(0).await.unwrap();
    let records = |changes: &Changes| changes.rows.iter().map(|r| r.record.0).collect::<Vec<_>>();
    assert_eq!(records(&all), [0, 1, 2, 4, 7, 9]);
    assert_eq!((all.gone.as_slice(), all.more, all.forgotten), (&[Record(3)][..], false, false));
    let later = store.changes(1).await.unwrap();
    assert_eq!((records(&later), later.last), (vec![7, 9], all.last));
    assert_eq!(store.changes(all.last).await.unwrap().last, all.last);

    store.sweep(at(60), at(10)).await.unwrap();
    assert!(store.changes(0).await.unwrap().forgotten);
    assert!(!store.changes(all.last - 1).await.unwrap().forgotten);
}

/// `response` asks for the changes after the last one that it has. A change that is committed after a
/// later one must not be passed over.
#[tokio::test]
async fn a_change_under_way_is_waited_for() {
    let database = testkit::postgres::Database::create().await;
    let store = open(&database.location()).await;
    let mut first = store.begin().await.unwrap();
    store.insert_customers(&mut first, &[customer(1)], at(1)).await.unwrap();
    write(&store, [2].into_iter()).await.unwrap();
    assert!(store.changes(0).await.is_err(), "the first change is not committed");
    first.commit().await.unwrap();
    let rows = store.changes(0).await.unwrap().rows;
    assert_eq!(rows.iter().map(|row| row.record.0).collect::<Vec<_>>(), [1, 2]);
}

async fn a_reset_is_used_once(store: &Store) {
    let keep = async |code: u8, record, now, limit| {
        let code = [code; 32];
        store.insert_reset(&code, Record(record), at(now), at(now + 60), limit).await.unwrap()
    };
    assert!(keep(1, 7, 0, 2).await && keep(2, 7, 1, 2).await);
    assert!(!keep(3, 7, 59, 2).await, "a third code is waiting");
    assert!(keep(4, 8, 59, 2).await, "another customer's codes count");
    assert!(keep(5, 7, 60, 2).await, "an expired code counts");
    assert_eq!(store.reset(&[2; 32], at(60)).await.unwrap(), Some(Record(7)));
    assert_eq!(store.reset(&[2; 32], at(61)).await.unwrap(), None);

    let take = async |code: u8| {
        let mut tx = store.begin().await.unwrap();
        let used = store.use_reset(&mut tx, &[code; 32], Record(7)).await.unwrap();
        tx.commit().await.unwrap();
        used
    };
    assert!(take(5).await);
    assert!(!take(5).await && !take(2).await);
    assert_eq!(store.reset(&[4; 32], at(60)).await.unwrap(), Some(Record(8)));
}

async fn orders_survive(store: &Store) {
    assert_eq!(store.orders().await.unwrap(), Orders::default());
    let over_all = async |signed: &[u8], until, now, last| {
        let (set_before, ordered_at) = (at(until), at(now));
        let order = OverEverybody { incident: 1, signed, set_before, ordered_at };
        let mut change = store.db().begin_shared_change().await.unwrap();
        let stored = store.insert_over_everybody(&mut change, &order, last).await.unwrap();
        change.commit().await.unwrap();
        stored
    };
    assert_eq!(over_all(&[1; 32], 10, 7, 0).await, Some(1));
    assert_eq!(over_all(&[2; 32], 5, 6, 0).await, None, "another order came first");
    assert_eq!(over_all(&[1; 32], 5, 6, 1).await, None, "the same order");
    assert_eq!(over_all(&[2; 32], 5, 6, 1).await, Some(2));
    assert_eq!(store.signed_order(&[2; 32]).await.unwrap(), Some((2, None)));
    let (left_out, created_since, seconds) = (0, 0, 0.5);
    let (order, customers, sessions) = (2, 3, 4);
    let outcome = VoidOutcome { order, customers, sessions, left_out, created_since, seconds };
    store.set_outcome(&outcome).await.unwrap();
    assert_eq!(store.signed_order(&[2; 32]).await.unwrap(), Some((2, Some(outcome))));
    assert_eq!(store.signed_order(&[3; 32]).await.unwrap(), None);
    let some: RoaringBitmap = [3, 70_000].into_iter().collect();
    let counted = Ordered { customers: [3].into_iter().collect(), sessions: 2 };
    let over_some = OverSome {
        incident: 2,
        records: &some,
        by: By::One(&counted),
        set_before: at(50),
        ordered_at: at(60),
    };
    let over_some_after = async |order: &OverSome<'_>, last| {
        let mut change = store.db().begin_shared_change().await.unwrap();
        let stored = store.insert_over_some(&mut change, order, last).await.unwrap();
        change.commit().await.unwrap();
        stored
    };
    assert_eq!(over_some_after(&over_some, 1).await, None);
    assert_eq!(over_some_after(&over_some, 2).await, Some(3));
    let history = store.history(2, at(61)).await.unwrap();
    assert_eq!((history.last, history.last_of_incident, history.alone), (3, 3, counted));
    let history = store.history(1, at(60) + alone::SPAN).await.unwrap();
    assert_eq!((history.last_of_incident, history.alone), (2, Ordered::default()));
    // A signed order takes nothing from the limit, and ends the sessions that began before it.
    let set: RoaringBitmap = [8].into_iter().collect();
    let (by, set_before, ordered_at) = (By::Signers(&[4; 32]), at(20), at(70));
    let over_set = OverSome { incident: 3, records: &set, by, set_before, ordered_at };
    assert_eq!(over_some_after(&over_set, 3).await, Some(4));
    assert_eq!(over_some_after(&over_set, 4).await, None, "the same order");
    assert_eq!(store.signed_order(&[4; 32]).await.unwrap(), Some((4, None)));
    assert_eq!(store.history(3, at(71)).await.unwrap().alone.customers.len(), 1);
    let orders = store.orders().await.unwrap();
    assert_eq!((orders.void_until, orders.revoked_until), (Some(at(10)), Some(at(7))));
    assert!(orders.voids(Record(8), at(20)) && !orders.voids(Record(8), at(21)));
    assert!(orders.revokes(Record(8), at(70)) && !orders.revokes(Record(8), at(71)));
    let voids = [(3, 50), (70_000, 50), (3, 51), (4, 50)];
    let voids = voids.map(|(record, second)| orders.voids(Record(record), at(second)));
    assert_eq!(voids, [true, true, false, false]);
}

async fn frozen_callers_survive(store: &Store) {
    let web = |n: u8| format!("web-{n}").parse().unwrap();
    for caller in [web(1), web(2), web(1)] {
        let reason = "it fell".parse().unwrap();
        let order = FreezeCaller { caller, frozen: true, incident: None, reason };
        store.db().freeze_caller(&order, at(1)).await.unwrap();
    }
    let seen = store.db().generation().await.unwrap();
    assert!(store.db().thaw_caller(&web(2), seen).await.unwrap() > Some(seen));
    assert_eq!(store.db().thaw_caller(&web(1), seen).await.unwrap(), None, "an order came since");
    assert_eq!(store.orders().await.unwrap().frozen, [web(1)].into());
}

async fn imports_add_up(store: &Store) {
    let add = async |source, to_line, created, lines: &[u64]| {
        let reject = |line: &u64| Reject { line: *line, reason: format!("line {line}") };
        let rejects = lines.iter().map(reject).collect();
        let progress = ImportProgress { source, to_line, created, rejects };
        let mut tx = store.begin().await.unwrap();
        store.insert_progress(&mut tx, &progress).await.unwrap();
        tx.commit().await.unwrap();
    };
    add("a", 10, 8, &[3, 4]).await;
    add("a", 20, 9, &[15]).await;
    add("a", 5, 1, &[]).await;
    add("b", 7, 7, &[]).await;
    let state = store.import_state("a").await.unwrap();
    assert_eq!((state.done_to_line, state.created), (20, 18));
    assert_eq!(store.import_state("c").await.unwrap().done_to_line, 0);
    let rejects = store.import_rejects("a", 4, 15).await.unwrap();
    assert_eq!(rejects, [(4, "line 4".into()), (15, "line 15".into())].into());
}
