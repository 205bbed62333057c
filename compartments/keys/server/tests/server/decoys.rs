//! Decoys are named once, and an alarm rings when somebody opens one.

use cofferdam_core::{Domain, Field, KeyBytes, Record};
use jiff::SignedDuration;
use keys_api::{
    AlarmKind, ClaimDecoys, DECOYS_CLAIMED, HardenItem, HardenPasswords, ReleaseKeys, ReportMail,
};

use crate::support::{Keys, ask, group, name, refused, until};

#[tokio::test]
async fn decoys_are_named_once_and_ring_when_opened() {
    let keys = Keys::start().await;
    let accounts = keys.client("accounts");
    let claim = |from| ClaimDecoys { domain: Domain::Accounts, from: Record(from), count: 1_000 };
    let decoys = accounts.call(&claim(0)).await.unwrap().decoys;
    assert!(!decoys.is_empty() && decoys.is_sorted());
    refused(accounts.call(&claim(0)).await, DECOYS_CLAIMED);
    accounts.call(&claim(1_000)).await.unwrap();
    refused(accounts.call(&claim(500)).await, DECOYS_CLAIMED);

    let harden = |record| HardenPasswords {
        caller: name("web-ky-1"),
        items: vec![HardenItem { record, hash: KeyBytes::new([1; 32]) }],
    };
    accounts.call(&harden(decoys[0])).await.unwrap();
    accounts.call(&harden(decoys[0])).await.unwrap();
    let alarm = keys.rings(AlarmKind::Decoy).await;
    assert_eq!(alarm.count, 1, "filling a decoy is no alarm, signing in to one is");

    keys.clock.advance(SignedDuration::from_secs(120));
    assert_eq!(
        keys.release("web-ky-1", &[decoys[0].0]).await,
        Ok(1),
        "the thief sees no difference"
    );
    until(async || {
        let alarms = keys.alarms().await;
        let opened = alarms.iter().filter(|a| a.detail.contains("web-ky-1 opened decoy"));
        opened.count() == 1
    })
    .await;
    let alarms = keys.alarms().await;
    assert!(alarms.iter().any(|a| a.kind == AlarmKind::DecoyProbe));
}

#[tokio::test]
async fn mail_to_a_decoy_names_the_callers_that_opened_its_address() {
    let mut keys = Keys::start().await;
    let decoys = keys.decoys(1_000).await;
    let decoy = decoys[0];
    keys.release("web-ky-1", &[decoy.0]).await.unwrap();
    let names = ReleaseKeys {
        groups: vec![group(&[Field::Name], &[decoy.0])],
        ..ask("web-ky-2", &[decoy.0])
    };
    keys.client("accounts").call(&names).await.unwrap();
    // A day later the answer comes from the index of the first day.
    keys.clock.advance(SignedDuration::from_hours(30));
    keys.restart().await;
    let person = (0..1_000).map(Record).find(|record| !decoys.contains(record)).unwrap();
    for record in [person, decoy] {
        keys.client("accounts").call(&ReportMail { record }).await.unwrap();
    }
    let alarm = keys.rings(AlarmKind::DecoyMail).await;
    assert_eq!((alarm.caller, alarm.count), (Some(name("web-ky-1")), 1));
    assert!(alarm.detail.ends_with("opened by web-ky-1"), "{}", alarm.detail);
}
