//! A doubt counts as read and is named: a log that is gone, and a log that was restored to an
//! earlier state.

use std::fs;
use std::path::Path;

use cofferdam_core::{Clock, Field, FieldSet, SystemClock, Timestamp};
use cofferdam_wire::Client;
use estate::Compartment::{Accounts, Keys, Payments, Response};
use response_api::{
    DeclareIncident, Doubt, DoubtCause, Exposure, ListAlarms, People, ScopeIncident,
};

use crate::support::{Place, Process, wait_until};

const CUSTOMERS: u64 = 60;

/// Four running compartments with customers. The process of `keys` is returned on its own.
async fn running_estate() -> (Place, Process, [Process; 3]) {
    let place = Place::with_estate().await;
    let keys = place.serve(Keys).await;
    let others =
        [place.serve(Accounts).await, place.serve(Payments).await, place.serve(Response).await];
    place.import(u32::try_from(CUSTOMERS).unwrap());
    (place, keys, others)
}

async fn read(place: &Place, records: std::ops::Range<u32>) {
    let call = place.read_call(records, FieldSet::EMPTY.with(Field::Name)).await;
    place.client(Accounts, "shipping-1").call(&call).await.unwrap();
}

async fn scope(staff: &Client, to: Option<Timestamp>) -> Exposure {
    let declare = DeclareIncident {
        title: "shipping-1 fell".into(),
        fallen: vec!["shipping-1".parse().unwrap()],
        from: "2012-01-15T00:00:00Z".parse().unwrap(),
        to,
        found: "a test".into(),
        people: People::Accounts,
        // `keys` may be down.
        unlisted: vec!["shipping-1".parse().unwrap()],
    };
    let incident = staff.call(&declare).await.unwrap().incident;
    staff.call(&ScopeIncident { incident, from_log: true }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_counts_as_read_from_when_the_log_was_gone() {
    let (place, keys, _others) = running_estate().await;
    let staff = place.staff();
    read(&place, 0..5).await;
    let sure = scope(&staff, None).await;
    assert_eq!((sure.people.read, sure.assumed, sure.doubts.len()), (5, 0, 0), "{sure:?}");
    assert!(sure.logs[0].cosigned.is_some());
    let still_there = SystemClock.now();
    wait_until("the log was followed once more", async || {
        scope(&staff, None).await.doubts.is_empty()
    })
    .await;
    drop(keys);

    let gap = scope(&staff, None).await;
    let doubt = gap.doubts.iter().find(|doubt| doubt.counts_as_read).unwrap();
    let DoubtCause::LogNotFollowed { after_window: false, .. } = doubt.cause else {
        panic!("another doubt: {doubt:?}")
    };
    assert_eq!(gap.people.read, gap.customers, "everybody within reach counts as read");
    assert_eq!(gap.assumed, gap.people.read - 5);

    // The time before the log was gone is known, and nothing is assumed about it.
    let covered = scope(&staff, Some(still_there)).await;
    assert_eq!((covered.people.read, covered.assumed), (5, 0), "{:?}", covered.doubts);
    let after = |doubt: &Doubt| {
        matches!(doubt.cause, DoubtCause::LogNotFollowed { after_window: true, .. })
    };
    assert!(covered.doubts.iter().any(after));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_put_back_rings_and_is_doubted() {
    let (place, keys, _others) = running_estate().await;
    let staff = place.staff();
    read(&place, 0..5).await;
    drop(keys);
    let (log, aside) = (place.dir.join("keys/log"), place.dir.join("aside"));
    let (database, database_aside) = (place.dir.join("keys/keys.db"), place.dir.join("keys.aside"));
    copy(&log, &aside);
    fs::copy(&database, &database_aside).unwrap();
    let keys = place.serve(Keys).await;
    read(&place, 5..20).await;
    assert_eq!(scope(&staff, None).await.people.read, 20);
    drop(keys);

    // The intruder has the host and its signing key, so the older log has a valid signature too. The
    // database, which knows how long the log was, goes back with it.
    fs::remove_dir_all(&log).unwrap();
    copy(&aside, &log);
    fs::copy(&database_aside, &database).unwrap();
    let _keys = place.serve(Keys).await;
    wait_until("the log that was put back rings", async || {
        let alarms = staff.call(&ListAlarms { after: 0 }).await.unwrap();
        alarms.iter().any(|alarm| {
            alarm.kind == "witness_disagreement"
                && (alarm.detail.contains("an old copy of it was restored")
                    || alarm.detail.contains("was changed"))
        })
    })
    .await;
    let doubtful = scope(&staff, None).await;
    assert!(doubtful.doubts.iter().any(|doubt| doubt.counts_as_read), "{:?}", doubtful.doubts);
    assert!(doubtful.people.read >= 20, "reads that were copied before are lost");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
