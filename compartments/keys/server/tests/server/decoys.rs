//! Decoys are named once, and an alarm rings when somebody opens one.

use cofferdam_core::{Domain, Field, FieldSet, KeyBytes, Record};
use cofferdam_wire::ProblemType;
use jiff::SignedDuration;
use keys_api::{
    AlarmKind, ClaimDecoys, DECOYS_CLAIMED, EnrolItem, EnrolPasswords, Enrolment, IndexAddresses,
    KeyGroup, NoteAddresses, ReleaseKeys, ReportMail, Search,
};

use crate::support::{Keys, ask, fields, group, name, refused, typed, until};

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

    let item = EnrolItem { record: decoys[0], hash: KeyBytes::new([1; 32]) };
    let (caller, items) = (name("web-ky-1"), vec![item]);
    accounts.call(&EnrolPasswords { caller, on: Enrolment::SignUp, items }).await.unwrap();
    accounts.call(&typed("web-ky-1", decoys[0])).await.unwrap();
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
async fn a_grouped_alarm_names_every_decoy() {
    let keys = Keys::start().await;
    let decoys = keys.decoys(1_000).await;
    let seven: Vec<u32> = decoys.iter().take(7).map(|decoy| decoy.0).collect();
    assert_eq!(keys.release("web-ky-1", &seven).await, Ok(7));
    until(async || keys.rings(AlarmKind::Decoy).await.count == 7).await;
    let alarm = keys.rings(AlarmKind::Decoy).await;
    for decoy in &seven {
        let named = format!("web-ky-1 opened decoy {decoy}");
        assert!(alarm.detail.split("; ").any(|detail| detail == named), "{}", alarm.detail);
    }
}

/// Asking for what is not there touches a decoy like reading it, and so does its address.
#[tokio::test]
async fn a_decoy_rings_for_unset_fields_and_for_its_address() {
    let keys = Keys::start().await;
    let (accounts, decoy) = (keys.client("accounts"), keys.decoys(1_000).await[0]);
    let unset = KeyGroup {
        fields: FieldSet::EMPTY,
        unset: fields(&[Field::Name]),
        ..group(&[], &[decoy.0])
    };
    let call = ReleaseKeys { groups: vec![unset], ..ask("web-ky-1", &[]) };
    accounts.call(&call).await.unwrap();
    until(async || keys.rings(AlarmKind::Decoy).await.detail.contains("opened decoy")).await;

    let (caller, digests) = (name("web-ky-2"), vec![KeyBytes::new([1; 32])]);
    let call = IndexAddresses { caller: caller.clone(), digests };
    let ticket = accounts.call(&call).await.unwrap().ticket;
    let (search, records) = (Search::Find, vec![decoy]);
    accounts.call(&NoteAddresses { caller, ticket, search, records }).await.unwrap();
    until(async || {
        let alarms = keys.alarms().await;
        alarms.iter().any(|a| a.detail.contains("web-ky-2 looked up the address of decoy"))
    })
    .await;
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
        let report = ReportMail { caller: name("mail-trap-1"), record };
        keys.client("accounts").call(&report).await.unwrap();
    }
    let alarm = keys.rings(AlarmKind::DecoyMail).await;
    // A thief with the reporter's certificate can report mail that never came, so the alarm is in its name.
    assert_eq!((alarm.caller, alarm.count), (Some(name("mail-trap-1")), 1));
    assert!(alarm.detail.ends_with("opened by web-ky-1"), "{}", alarm.detail);
}

/// A false report would have the alarm name those who opened the address.
#[tokio::test]
async fn a_caller_that_reads_customers_reports_no_mail() {
    let keys = Keys::start().await;
    let decoy = keys.decoys(1_000).await[0];
    keys.release("web-ky-1", &[decoy.0]).await.unwrap();
    let report = ReportMail { caller: name("web-ky-2"), record: decoy };
    let refusal = keys.client("accounts").call(&report).await.unwrap_err();
    assert!(refusal.is(ProblemType::NOT_GRANTED), "{refusal}");
    assert_eq!(keys.rings(AlarmKind::RefusedGrant).await.caller, Some(name("web-ky-2")));
    let alarms = keys.alarms().await;
    assert!(alarms.iter().all(|alarm| alarm.kind != AlarmKind::DecoyMail), "{alarms:?}");
}
