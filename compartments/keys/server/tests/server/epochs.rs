//! Two people renew and destroy master keys; erased records stay closed.

use cofferdam_core::{Clock, Domain, Epoch, Field, Operation, Record};
use cofferdam_wire::{CallError, Client, ProblemType};
use jiff::SignedDuration;
use keys_api::{
    Budget, ChangeEpoch, DomainEpochs, EPOCH_OUTDATED, EpochChange, EpochOrder, EraseRecords,
    Event, KeyGroup, LowerBudget, ORDER_REFUSED, ReadEpochs, ReleaseKeys, ReleasedKeys, Signed,
};

use crate::support::{Keys, ask, events, freeze, group, name, refused};

const ACCOUNTS: Domain = Domain::Accounts;

fn order(keys: &Keys, change: EpochChange) -> EpochOrder {
    let until = keys.clock.now() + SignedDuration::from_hours(1);
    EpochOrder { domain: ACCOUNTS, change, until, break_glass: None }
}

fn start(keys: &Keys, epoch: u16) -> EpochOrder {
    let reseal_until = keys.clock.now() + SignedDuration::from_hours(2);
    order(keys, EpochChange::Start { epoch: Epoch(epoch), reseal_until })
}

async fn give(response: &Client, order: Signed<EpochOrder>) -> Result<DomainEpochs, CallError> {
    response.call(&ChangeEpoch { order }).await
}

fn in_epoch(epoch: u16, records: &[u32]) -> ReleaseKeys {
    let of = KeyGroup { epoch: Some(Epoch(epoch)), ..group(&[Field::Name], records) };
    ReleaseKeys { groups: vec![of], ..ask("web-ky-1", records) }
}

fn key(released: &ReleasedKeys, group: usize) -> [u8; 32] {
    *released.groups[group].records[0].keys[0].0.expose()
}

/// The call of `accounts` that moves records from one epoch to the next.
fn reseal(records: &[u32]) -> ReleaseKeys {
    let both = [0, 1]
        .map(|epoch| KeyGroup { epoch: Some(Epoch(epoch)), ..group(&[Field::Name], records) });
    ReleaseKeys {
        caller: name("accounts"),
        operation: Operation::Reseal,
        groups: both.into(),
        ..ask("accounts", records)
    }
}

#[tokio::test]
async fn a_new_epoch_seals_and_the_old_one_stays_readable() {
    let mut keys = Keys::start().await;
    let accounts = keys.client("accounts");
    let old = key(&accounts.call(&in_epoch(0, &[7])).await.unwrap(), 0);
    let epochs = give(&keys.client("response-1"), keys.sign(start(&keys, 1))).await.unwrap();
    assert_eq!((epochs.current, epochs.readable), (Epoch(1), vec![Epoch(0), Epoch(1)]));
    // A record is sealed once.
    for record in [7, 9] {
        let accounts = keys.client("accounts");
        assert_eq!(key(&accounts.call(&in_epoch(0, &[7])).await.unwrap(), 0), old);
        let seal = ReleaseKeys { operation: Operation::Seal, ..ask("web-ky-1", &[record]) };
        let sealed = accounts.call(&seal).await.unwrap();
        assert_eq!(sealed.groups[0].epoch, Epoch(1));
        assert_ne!(key(&sealed, 0), old);
        keys.restart().await;
    }
    let moved = keys.client("accounts").call(&reseal(&[7, 8])).await.unwrap();
    assert_eq!((key(&moved, 0), moved.groups[1].epoch), (old, Epoch(1)));
    let retire = order(&keys, EpochChange::Retire { epoch: Epoch(0) });
    let epochs = give(&keys.client("response-1"), keys.sign(retire)).await.unwrap();
    assert_eq!(epochs.readable, [Epoch(1)]);
    for _ in 0..2 {
        let gone = keys.client("accounts").call(&in_epoch(0, &[7])).await;
        refused(gone, ProblemType::BAD_REQUEST);
        keys.restart().await;
    }
    let changes = events(&keys).await;
    let changes = changes.iter().filter(|event| matches!(event, Event::EpochChanged { .. }));
    assert_eq!(changes.count(), 2);
}

#[tokio::test]
async fn records_are_resealed_by_their_compartment_and_in_the_window_alone() {
    let keys = Keys::start().await;
    let accounts = keys.client("accounts");
    let early = ReleaseKeys { groups: vec![group(&[Field::Name], &[1])], ..reseal(&[1]) };
    refused(accounts.call(&early).await, ProblemType::NOT_GRANTED);
    give(&keys.client("response-1"), keys.sign(start(&keys, 1))).await.unwrap();
    let for_web = ReleaseKeys { caller: name("web-ky-1"), ..reseal(&[1]) };
    refused(accounts.call(&for_web).await, ProblemType::NOT_GRANTED);
    accounts.call(&reseal(&[1])).await.unwrap();
    let many: Vec<u32> = (0..300).collect();
    refused(accounts.call(&reseal(&many)).await, ProblemType::BUDGET_EXHAUSTED);
    keys.clock.advance(SignedDuration::from_hours(2));
    refused(accounts.call(&reseal(&[1])).await, ProblemType::NOT_GRANTED);
}

#[tokio::test]
async fn an_order_is_carried_out_once_and_in_time() {
    let keys = Keys::start().await;
    let response = keys.client("response-1");
    let unsigned = Signed { order: start(&keys, 1), signatures: vec![] };
    refused(give(&response, unsigned).await, ORDER_REFUSED);
    let skipping = keys.sign(start(&keys, 2));
    refused(give(&response, skipping).await, EPOCH_OUTDATED);
    let current = keys.sign(order(&keys, EpochChange::Retire { epoch: Epoch(0) }));
    refused(give(&response, current).await, EPOCH_OUTDATED);
    let once = keys.sign(start(&keys, 1));
    give(&response, once.clone()).await.unwrap();
    refused(give(&response, once).await, EPOCH_OUTDATED);
    let late = keys.sign(start(&keys, 2));
    keys.clock.advance(SignedDuration::from_hours(1));
    refused(give(&response, late).await, ORDER_REFUSED);
    let read = ReadEpochs { domain: ACCOUNTS };
    assert_eq!(keys.client("accounts").call(&read).await.unwrap().current, Epoch(1));
}

#[tokio::test]
async fn an_erased_record_stays_closed() {
    let mut keys = Keys::start().await;
    let erase = EraseRecords {
        domain: ACCOUNTS,
        caller: name("web-ky-1"),
        records: vec![Record(2), Record(70_000)],
        held: true,
    };
    keys.client("accounts").call(&erase).await.unwrap();
    keys.client("accounts").call(&erase).await.unwrap();
    for _ in 0..2 {
        let call = ask("web-ky-1", &[1, 2, 3, 70_000]);
        let released = keys.client("accounts").call(&call).await.unwrap();
        let records: Vec<_> = released.groups[0].records.iter().map(|r| r.record.0).collect();
        assert_eq!(records, [1, 3]);
        assert_eq!(released.erased, [Record(2), Record(70_000)]);
        assert!(released.answers(&call));
        let seal = ReleaseKeys { operation: Operation::Seal, ..ask("web-ky-1", &[2]) };
        assert!(keys.client("accounts").call(&seal).await.unwrap().groups[0].records.is_empty());
        keys.restart().await;
    }
    let logged = events(&keys).await;
    let released = logged.iter().filter_map(|event| match event {
        Event::Released { records, .. } => Some(records.as_slice()),
        _ => None,
    });
    assert!(released.flatten().all(|record| *record != Record(2)));
}

/// The log knows the erased records, so an older copy of the database opens none again.
#[tokio::test]
async fn an_erased_record_stays_closed_when_an_older_database_is_put_back() {
    let mut keys = Keys::start().await;
    let older = keys.copy_database().await;
    let erase = EraseRecords {
        domain: ACCOUNTS,
        caller: name("web-ky-1"),
        records: vec![Record(2)],
        held: true,
    };
    keys.client("accounts").call(&erase).await.unwrap();
    keys.put_back_database(&older).await;
    let released = keys.client("accounts").call(&ask("web-ky-1", &[1, 2])).await.unwrap();
    assert_eq!((released.groups[0].records.len(), released.erased), (1, vec![Record(2)]));
    keys.stop().await;
}

/// The log also knows freezes, lowered budgets and destroyed keys.
#[tokio::test]
async fn an_older_database_thaws_nobody_and_brings_no_key_back() {
    let mut keys = Keys::start().await;
    give(&keys.client("response-1"), keys.sign(start(&keys, 1))).await.unwrap();
    let older = keys.copy_database().await;
    let response = keys.client("response-1");
    let freeze = freeze("web-ky-2");
    response.call(&freeze).await.unwrap();
    let low = Budget { minute: 1, hour: 1, day: 1, burst: 0 };
    let lower = LowerBudget {
        caller: name("web-ky-1"),
        operation: Operation::Release,
        budget: low,
        reason: "fell".parse().unwrap(),
    };
    response.call(&lower).await.unwrap();
    let retire = order(&keys, EpochChange::Retire { epoch: Epoch(0) });
    give(&response, keys.sign(retire)).await.unwrap();
    keys.put_back_database(&older).await;
    assert!(keys.release("web-ky-2", &[1]).await.unwrap_err().is(ProblemType::FROZEN));
    let two = keys.client("accounts").call(&ask("web-ky-1", &[1, 2])).await;
    refused(two, ProblemType::BUDGET_EXHAUSTED);
    let gone = keys.client("accounts").call(&in_epoch(0, &[7])).await;
    refused(gone, ProblemType::BAD_REQUEST);
    keys.stop().await;
}

#[tokio::test]
async fn a_record_that_the_compartment_does_not_hold_is_not_erased() {
    let mut keys = Keys::start().await;
    let erase = |record, held| EraseRecords {
        domain: ACCOUNTS,
        caller: name("web-ky-1"),
        records: vec![Record(record)],
        held,
    };
    let accounts = keys.client("accounts");
    refused(accounts.call(&erase(5, false)).await, ProblemType::NOT_FOUND);
    let released = accounts.call(&ask("web-ky-1", &[5])).await.unwrap();
    assert_eq!(released.erased, []);
    accounts.call(&erase(6, true)).await.unwrap();
    accounts.call(&erase(6, false)).await.unwrap();
    keys.stop().await;
}
