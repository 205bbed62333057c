//! What can't be known counts as read, and is said: a log that is not there, and one that was put
//! back to what it was.

use std::fs;
use std::path::Path;

use accounts_api::ReadCustomers;
use cofferdam_core::{Clock, Field, FieldSet, Record, SystemClock, Timestamp};
use cofferdam_wire::Client;
use response_api::{DeclareIncident, Exposure, ReadFeed, ScopeIncident};

use crate::support::{Place, Process, until};

const CUSTOMERS: u64 = 60;

/// The four compartments, each on its own; customers are in.
async fn estate() -> (Place, Process, [Process; 3]) {
    let place = Place::new();
    place.make();
    let keys = place.serve("keys").await;
    let others = [
        place.serve("accounts").await,
        place.serve("payments").await,
        place.serve("response").await,
    ];
    place.import(u32::try_from(CUSTOMERS).unwrap());
    (place, keys, others)
}

async fn read(place: &Place, records: std::ops::Range<u32>) {
    let fields = FieldSet::EMPTY.with(Field::Name);
    let call = ReadCustomers { records: records.map(Record).collect(), fields };
    place.client("accounts", "web-ky-1").call(&call).await.unwrap();
}

async fn scope(staff: &Client, to: Option<Timestamp>) -> Exposure {
    let declare = DeclareIncident {
        title: "web-ky-1 fell".into(),
        fallen: vec!["web-ky-1".parse().unwrap()],
        from: "2012-01-15T00:00:00Z".parse().unwrap(),
        to,
        found: "a test".into(),
        people: response_api::People::Accounts,
    };
    let incident = staff.call(&declare).await.unwrap().incident;
    staff.call(&ScopeIncident { incident, from_log: true }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_gone_counts_as_read_from_when_it_went() {
    let (place, keys, _others) = estate().await;
    let staff = place.client("response", "operator-1");
    read(&place, 0..5).await;
    let sure = scope(&staff, None).await;
    assert_eq!((sure.people.read, sure.assumed, sure.doubts.len()), (5, 0, 0), "{sure:?}");
    assert!(sure.logs[0].cosigned.is_some());
    let while_it_was_there = SystemClock.now();
    until("the log was followed once more", async || scope(&staff, None).await.doubts.is_empty())
        .await;
    drop(keys);

    let gap = scope(&staff, None).await;
    let said = gap.doubts.iter().find(|doubt| doubt.counts_as_read).unwrap();
    assert!(said.what.contains("has not been followed since"), "{said:?}");
    assert_eq!(gap.people.read, gap.customers, "whoever is within reach counts as read");
    assert_eq!(gap.assumed, gap.people.read - 5);

    // What happened before it went is known, and nothing is assumed of it.
    let covered = scope(&staff, Some(while_it_was_there)).await;
    assert_eq!((covered.people.read, covered.assumed), (5, 0), "{:?}", covered.doubts);
    assert!(covered.doubts.iter().any(|doubt| doubt.what.contains("after the window")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_put_back_is_named_and_believed_no_more() {
    let (place, keys, _others) = estate().await;
    let staff = place.client("response", "operator-1");
    read(&place, 0..5).await;
    drop(keys);
    let (log, aside) = (place.dir.join("keys/log"), place.dir.join("aside"));
    copy(&log, &aside);
    let keys = place.serve("keys").await;
    read(&place, 5..20).await;
    assert_eq!(scope(&staff, None).await.people.read, 20);
    drop(keys);

    // The intruder has the host, and with it whatever signs: an older log is as good as this one.
    fs::remove_dir_all(&log).unwrap();
    copy(&aside, &log);
    let _keys = place.serve("keys").await;
    until("the log that was put back rings", async || {
        let alarms = staff.call(&ReadFeed { after: 0 }).await.unwrap();
        alarms.iter().any(|alarm| {
            alarm.kind == "witness_disagreement"
                && (alarm.detail.contains("an old copy of it was restored")
                    || alarm.detail.contains("was changed"))
        })
    })
    .await;
    let doubtful = scope(&staff, None).await;
    assert!(doubtful.doubts.iter().any(|doubt| doubt.counts_as_read), "{:?}", doubtful.doubts);
    assert!(doubtful.people.read >= 20, "what was copied before is not lost");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
