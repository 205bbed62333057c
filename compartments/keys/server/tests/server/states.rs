//! The newest state of each compartment, and the record numbers that were given out.

use cofferdam_core::{Clock, Domain, Field, Operation, Record, StateId, Timestamp};
use jiff::SignedDuration;
use keys_api::{AcceptState, AlarmKind, CheckState, CheckedState, ClaimDecoys, Event, Standing};

use crate::support::{Keys, ask, events, group};

async fn check(keys: &Keys, state: u64, is_new: bool, beat: Timestamp) -> CheckedState {
    keys.client("accounts").call(&state_of(state, is_new, beat)).await.unwrap()
}

fn state_of(state: u64, is_new: bool, beat: Timestamp) -> CheckState {
    CheckState {
        domain: Domain::Accounts,
        state: StateId(state),
        is_new,
        beat,
        known: None,
        numbers: 0,
        troubles: vec![],
        seen: vec![],
    }
}

async fn seal(keys: &Keys, records: &[u32]) {
    let mut call = ask("web-ky-1", &[]);
    call.operation = Operation::Seal;
    call.groups = vec![group(&[Field::Name], records)];
    keys.client("accounts").call(&call).await.unwrap();
}

#[tokio::test]
async fn only_the_newest_state_of_a_compartment_serves() {
    let keys = Keys::start().await;
    let now = keys.clock.now();
    let later = now + SignedDuration::from_secs(5);
    assert_eq!(check(&keys, 1, true, now).await.standing, Standing::Newest);
    assert_eq!(check(&keys, 1, false, later).await.standing, Standing::Newest);
    let older = check(&keys, 1, false, now).await;
    assert_eq!((older.standing, older.beat), (Standing::Older, Some(later)));
    assert_eq!(keys.alarms().await.len(), 0, "perhaps another instance was faster");
    let again = CheckState { known: Some(later), ..state_of(1, false, now) };
    let older = keys.client("accounts").call(&again).await.unwrap();
    assert_eq!(older.standing, Standing::Older);
    keys.rings(AlarmKind::State).await;
    let faster = CheckState { known: Some(now), ..state_of(1, false, now) };
    let newest = keys.client("accounts").call(&faster).await.unwrap();
    assert_eq!(newest.standing, Standing::Newest, "another instance told its beat meanwhile");
    assert_eq!(check(&keys, 2, true, later).await.standing, Standing::Missing);
    let call = AcceptState { domain: Domain::Accounts, state: StateId(2), beat: now, numbers: 0 };
    keys.client("accounts").call(&call).await.unwrap();
    assert_eq!(check(&keys, 2, false, now).await.standing, Standing::Newest);
    assert_eq!(check(&keys, 1, false, later).await.standing, Standing::GivenUp);
    keys.rings(AlarmKind::State).await;
}

#[tokio::test]
async fn numbers_that_were_sealed_or_claimed_are_given_out() {
    let mut keys = Keys::start().await;
    let now = keys.clock.now();
    assert_eq!(check(&keys, 1, true, now).await.numbers, 0);
    seal(&keys, &[3, 7]).await;
    assert_eq!(check(&keys, 1, false, now).await.numbers, 8);
    let claim = ClaimDecoys { domain: Domain::Accounts, from: Record(10), count: 90 };
    keys.client("accounts").call(&claim).await.unwrap();
    let call = AcceptState { domain: Domain::Accounts, state: StateId(2), beat: now, numbers: 5 };
    assert_eq!(keys.client("accounts").call(&call).await.unwrap().numbers, 100);
    let lost = |event: &Event| matches!(event, Event::StateOpened { lost: Some([5, 100]), .. });
    assert!(events(&keys).await.iter().any(lost));
    keys.restart().await;
    assert_eq!(check(&keys, 2, false, now).await.numbers, 100);
}

/// The log is newer than the database, so it tells of a state that was given up.
#[tokio::test]
async fn an_older_database_of_keys_brings_no_given_up_state_back() {
    let mut keys = Keys::start().await;
    let now = keys.clock.now();
    check(&keys, 1, true, now).await;
    let backup = keys.copy_database().await;
    seal(&keys, &[8]).await;
    let call = AcceptState { domain: Domain::Accounts, state: StateId(2), beat: now, numbers: 0 };
    keys.client("accounts").call(&call).await.unwrap();
    keys.put_back_database(&backup).await;
    assert_eq!(check(&keys, 1, false, now).await.standing, Standing::GivenUp);
    let newest = check(&keys, 2, false, now).await;
    assert_eq!((newest.standing, newest.numbers), (Standing::Newest, 9));
}
