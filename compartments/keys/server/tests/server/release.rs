//! Keys are released within grant and warrant, whichever group of a call asks for them, and the log
//! has them before the answer leaves.

use cofferdam_core::{Domain, Epoch, Field, FieldSet, Operation, Record};
use cofferdam_wire::ProblemType;
use keys_api::{
    AlarmKind, ClaimDecoys, Event, KeyGroup, OpenWarrant, RECORDS_SEALED, ReleaseKeys,
    ReleasedKeys, Warrant, WarrantId,
};

use crate::support::{Keys, ask, events, fields, group, name, refused, warrant};

fn key(released: &ReleasedKeys) -> &[u8; 32] {
    released.groups[0].records[0].keys[1].0.expose()
}

/// The releases in the log: caller, fields, records and warrant of each.
async fn releases(keys: &Keys) -> Vec<(String, FieldSet, Vec<u32>, Option<WarrantId>)> {
    let releases = events(keys).await.into_iter().filter_map(|event| match event {
        Event::Released { caller, via, fields, records, warrant, .. } => {
            assert_eq!(via, name("accounts"));
            let records = records.as_slice().iter().map(|record| record.0).collect();
            Some((caller.to_string(), fields, records, warrant))
        }
        _ => None,
    });
    releases.collect()
}

/// Opens a warrant for name and e-mail address of `records` records.
async fn open(keys: &Keys, records: u32) -> WarrantId {
    let open = OpenWarrant { warrant: keys.sign(warrant(keys, records)) };
    keys.client("response-1").call(&open).await.unwrap()
}

#[tokio::test]
async fn a_release_is_in_the_log_when_its_answer_arrives() {
    let keys = Keys::start().await;
    let call = ReleaseKeys {
        groups: vec![group(&[Field::Name, Field::Email], &[3, 7]), group(&[Field::Name], &[9])],
        ..ask("web-ky-1", &[])
    };
    let released = keys.client("accounts").call(&call).await.unwrap();
    let records = released.groups.iter().flat_map(|group| &group.records);
    let records: Vec<_> = records.map(|r| (r.record.0, r.keys.len())).collect();
    assert_eq!(records, [(3, 2), (7, 2), (9, 1)]);
    let both = fields(&[Field::Name, Field::Email]);
    let name = fields(&[Field::Name]);
    let web = || "web-ky-1".to_owned();
    let expected = [(web(), both, vec![3, 7], None), (web(), name, vec![9], None)];
    assert_eq!(releases(&keys).await, expected);
}

#[tokio::test]
async fn a_field_has_the_same_key_after_a_restart() {
    let mut keys = Keys::start().await;
    let first = keys.client("accounts").call(&ask("web-ky-1", &[3])).await.unwrap();
    keys.restart().await;
    let second = keys.client("accounts").call(&ask("web-ky-1", &[3])).await.unwrap();
    assert_eq!(key(&first), key(&second));
}

#[tokio::test]
async fn a_field_outside_the_grant_is_refused_with_an_alarm() {
    let keys = Keys::start().await;
    for caller in ["web-ky-2", "nobody-knows"] {
        let call = ask(caller, &[1]);
        refused(keys.client("accounts").call(&call).await, ProblemType::NOT_GRANTED);
    }
    let alarms = keys.alarms().await;
    let callers: Vec<_> = alarms.iter().map(|a| (a.kind, a.caller.clone().unwrap())).collect();
    // If a compartment makes up a caller that the policy does not know, the alarm names the
    // compartment.
    let expected = ["web-ky-2", "accounts"].map(|of| (AlarmKind::RefusedGrant, name(of)));
    assert_eq!(callers, expected);
    assert_eq!(releases(&keys).await, []);
}

/// One of three groups is forbidden, in each place: no key is released, and no budget is charged.
#[tokio::test]
async fn one_forbidden_group_keeps_the_whole_call_in() {
    let keys = Keys::start().await;
    let id = open(&keys, 3).await;
    let granted = [group(&[Field::Name], &[1]), group(&[Field::Email], &[2])];
    for (bad, problem, of_warrant) in [
        (group(&[Field::Phone], &[3]), ProblemType::NOT_GRANTED, ProblemType::WARRANT_REFUSED),
        (
            group(&[Field::Name, Field::Phone], &[3]),
            ProblemType::NOT_GRANTED,
            ProblemType::WARRANT_REFUSED,
        ),
        (group(&[Field::CardNumber], &[3]), ProblemType::BAD_REQUEST, ProblemType::BAD_REQUEST),
        (group(&[Field::Name], &[1]), ProblemType::BAD_REQUEST, ProblemType::BAD_REQUEST),
    ] {
        for place in 0..3 {
            let mut groups = granted.to_vec();
            groups.insert(place, bad.clone());
            let call = ReleaseKeys { groups, ..ask("web-ky-1", &[]) };
            refused(keys.client("accounts").call(&call).await, problem);
            let under = ReleaseKeys { caller: name("response-1"), warrant: Some(id), ..call };
            refused(keys.client("accounts").call(&under).await, of_warrant);
        }
    }
    assert_eq!(releases(&keys).await, []);
    // A hundred records would be too many if one of the calls had been charged or drawn.
    let hundred: Vec<u32> = (0..100).collect();
    assert_eq!(keys.release("web-ky-1", &hundred).await, Ok(100));
    let decoys = keys.decoys(200).await;
    let people: Vec<u32> = (0..200).filter(|n| !decoys.contains(&Record(*n))).take(3).collect();
    let draw = ReleaseKeys { warrant: Some(id), ..ask("response-1", &people) };
    keys.client("accounts").call(&draw).await.unwrap();
}

#[tokio::test]
async fn a_budget_counts_the_records_of_every_group() {
    let keys = Keys::start().await;
    let of = |sizes: [u32; 3]| {
        let fields = [&[Field::Name][..], &[Field::Email], &[Field::Name, Field::Email]];
        let group = |n: usize| {
            let first = u32::try_from(n).unwrap() * 1_000;
            group(fields[n], &(first..first + sizes[n]).collect::<Vec<_>>())
        };
        ReleaseKeys { groups: (0..3).map(group).collect(), ..ask("web-ky-1", &[]) }
    };
    let accounts = keys.client("accounts");
    refused(accounts.call(&of([1, 1, 99])).await, ProblemType::BUDGET_EXHAUSTED);
    accounts.call(&of([1, 50, 49])).await.unwrap();
    refused(accounts.call(&of([1, 0, 0])).await, ProblemType::BUDGET_EXHAUSTED);
}

#[tokio::test]
async fn the_log_names_the_warrant_of_a_release() {
    let keys = Keys::start().await;
    let id = open(&keys, 10).await;
    let decoys = keys.decoys(200).await;
    let people: Vec<u32> = (0..200).filter(|n| !decoys.contains(&Record(*n))).take(2).collect();
    let draw = ReleaseKeys { warrant: Some(id), ..ask("response-1", &people) };
    keys.client("accounts").call(&draw).await.unwrap();
    keys.release("web-ky-1", &[5]).await.unwrap();
    let both = fields(&[Field::Name, Field::Email]);
    let expected = [
        ("response-1".to_owned(), both, people, Some(id)),
        ("web-ky-1".to_owned(), both, vec![5], None),
    ];
    assert_eq!(releases(&keys).await, expected);
}

#[tokio::test]
async fn a_warrant_neither_seals_nor_reseals() {
    let keys = Keys::start().await;
    // This holds even for a caller with a grant to seal, and within the warrant.
    let order = Warrant { caller: name("web-ky-1"), ..warrant(&keys, 10) };
    let open = OpenWarrant { warrant: keys.sign(order) };
    let id = keys.client("response-1").call(&open).await.unwrap();
    for operation in [Operation::Seal, Operation::Reseal] {
        let call = ReleaseKeys { operation, warrant: Some(id), ..ask("web-ky-1", &[1]) };
        refused(keys.client("accounts").call(&call).await, ProblemType::BAD_REQUEST);
    }
    assert_eq!(releases(&keys).await, []);
}

#[tokio::test]
async fn a_malformed_request_is_refused() {
    let keys = Keys::start().await;
    let accounts = keys.client("accounts");
    let of = |group| ReleaseKeys { groups: vec![group], ..ask("web-ky-1", &[1]) };
    for wrong in [
        ask("web-ky-1", &[]),
        ask("web-ky-1", &[2, 1]),
        ask("web-ky-1", &[1, 1]),
        ask("web-ky-1", &[u32::MAX]),
        of(group(&[], &[1])),
        of(group(&[Field::CardNumber], &[1])),
        ReleaseKeys { operation: Operation::Harden, ..ask("web-ky-1", &[1]) },
        of(KeyGroup { epoch: Some(Epoch(9)), ..group(&[Field::Name], &[1]) }),
    ] {
        refused(accounts.call(&wrong).await, ProblemType::BAD_REQUEST);
    }
}

#[tokio::test]
async fn one_domain_never_answers_for_another() {
    let keys = Keys::start().await;
    let cross = ReleaseKeys {
        domain: Domain::Payments,
        groups: vec![group(&[Field::CardNumber], &[1])],
        ..ask("web-ky-1", &[1])
    };
    refused(keys.client("accounts").call(&cross).await, ProblemType::NOT_GRANTED);
}

/// A compartment that got no answer asks once more, so a record stays new for a minute.
#[tokio::test]
async fn a_record_that_was_sealed_takes_no_new_key() {
    let mut keys = Keys::start().await;
    let seal = |record| ReleaseKeys { operation: Operation::Seal, ..ask("web-ky-1", &[record]) };
    for _ in 0..2 {
        keys.client("accounts").call(&seal(7)).await.unwrap();
    }
    // A restart takes every sealed record from the log.
    keys.restart().await;
    refused(keys.client("accounts").call(&seal(7)).await, RECORDS_SEALED);
    keys.client("accounts").call(&seal(8)).await.unwrap();
    let alarms = keys.alarms().await;
    assert!(alarms.iter().any(|alarm| alarm.detail.contains("again, from 7")), "{alarms:?}");
    let released = releases(&keys).await.into_iter().map(|(_, _, records, _)| records);
    assert_eq!(released.collect::<Vec<_>>(), [vec![7], vec![7], vec![8]]);
}

#[tokio::test]
async fn numbers_far_behind_the_last_one_are_not_given_out() {
    let keys = Keys::start().await;
    let seal = |record| ReleaseKeys { operation: Operation::Seal, ..ask("web-ky-1", &[record]) };
    refused(keys.client("accounts").call(&seal(4_294_967_294)).await, ProblemType::NOT_GRANTED);
    let claim = ClaimDecoys { domain: Domain::Accounts, from: Record(4_294_967_200), count: 90 };
    refused(keys.client("accounts").call(&claim).await, ProblemType::NOT_GRANTED);
    keys.client("accounts").call(&seal(900_000)).await.unwrap();
    keys.client("accounts").call(&seal(1_800_000)).await.unwrap();
}
