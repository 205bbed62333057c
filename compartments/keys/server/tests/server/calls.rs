//! Release, harden, index, decoys, freeze, warrants: what callers and the controller may do.

use cofferdam_core::{Call, Domain, Epoch, Field, KeyBytes, Operation, Record};
use cofferdam_store::Location;
use cofferdam_wire::ProblemType;
use jiff::SignedDuration;
use keys_api::{
    AlarmKind, ApproveVoid, ChangeEpoch, ChangePolicy, ClaimDecoys, CloseWarrant, Cosign,
    EpochChange, EpochOrder, EraseRecords, Event, FreezeCaller, HardenItem, HardenPasswords,
    IndexAddresses, KeyGroup, ListCallers, LowerBudget, OpenWarrant, ProveInclusion, ReadAlarms,
    ReadCheckpoint, ReadEntries, ReadEpochs, ReadPolicy, ReleaseKeys, ReleasedKeys, ReportMail,
    Signed, VoidOrder, Warrant,
};

use crate::support::{Keys, ask, events, fields, group, name, until, warrant};

fn key(released: &ReleasedKeys) -> &[u8; 32] {
    released.groups[0].records[0].keys[1].0.expose()
}

#[tokio::test]
async fn a_release_is_in_the_log_when_its_answer_arrives() {
    let keys = Keys::start().await;
    let released = keys.client("accounts").call(&ask("web-ky-1", &[3, 7])).await.unwrap();
    let records: Vec<_> =
        released.groups[0].records.iter().map(|r| (r.record, r.keys.len())).collect();
    assert_eq!(records, [(Record(3), 2), (Record(7), 2)]);

    let logged = events(&keys).await;
    let Some(Event::Released { caller, via, fields: logged_fields, records, .. }) = logged.last()
    else {
        panic!("{logged:?}");
    };
    assert_eq!((caller.as_str(), via.as_str()), ("web-ky-1", "accounts"));
    assert_eq!(*logged_fields, fields(&[Field::Name, Field::Email]));
    assert_eq!(records.as_slice(), [Record(3), Record(7)]);
}

#[tokio::test]
async fn the_same_place_has_the_same_key_after_a_restart() {
    let mut keys = Keys::start().await;
    let first = keys.client("accounts").call(&ask("web-ky-1", &[3])).await.unwrap();
    keys.restart().await;
    let again = keys.client("accounts").call(&ask("web-ky-1", &[3])).await.unwrap();
    assert_eq!(key(&first), key(&again));
}

#[tokio::test]
async fn a_field_outside_the_grant_is_refused_with_an_alarm() {
    let keys = Keys::start().await;
    let refused = keys.release("web-ky-2", &[1]).await.unwrap_err();
    assert!(refused.is(ProblemType::NOT_GRANTED));
    let refused = keys.release("nobody-knows", &[1]).await.unwrap_err();
    assert!(refused.is(ProblemType::NOT_GRANTED));
    let alarms = keys.alarms().await;
    let callers: Vec<_> = alarms.iter().map(|a| (a.kind, a.caller.clone().unwrap())).collect();
    assert_eq!(
        callers,
        [
            (AlarmKind::RefusedGrant, name("web-ky-2")),
            // A name that the policy does not know may be made up: it rings for who said it.
            (AlarmKind::RefusedGrant, name("accounts")),
        ]
    );
    assert!(events(&keys).await.iter().all(|e| !matches!(e, Event::Released { .. })));
}

#[tokio::test]
async fn a_budget_holds_across_a_restart() {
    let mut keys = Keys::start().await;
    let hundred: Vec<u32> = (0..100).collect();
    assert_eq!(keys.release("web-ky-1", &hundred).await, Ok(100));
    for _ in 0..2 {
        let refused = keys.release("web-ky-1", &[1]).await.unwrap_err();
        assert!(refused.is(ProblemType::BUDGET_EXHAUSTED));
        assert_eq!(refused.retry_after_s, Some(61));
        keys.restart().await;
    }
    keys.clock.advance(SignedDuration::from_secs(61));
    assert_eq!(keys.release("web-ky-1", &hundred).await, Ok(100));
    assert!(keys.alarms().await.iter().any(|a| a.kind == AlarmKind::Budget));
}

#[tokio::test]
async fn repeats_are_counted_on_one_alarm() {
    let keys = Keys::start().await;
    for _ in 0..20 {
        keys.release("web-ky-2", &[1]).await.unwrap_err();
    }
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let alarms = keys.alarms().await;
    assert_eq!(alarms.iter().map(|a| a.count).collect::<Vec<_>>(), [20]);
}

#[tokio::test]
async fn a_frozen_caller_gets_nothing_and_others_go_on() {
    let mut keys = Keys::start().await;
    let freeze =
        |frozen| FreezeCaller { caller: name("web-ky-1"), frozen, reason: "its host fell".into() };
    keys.client("response-1").call(&freeze(true)).await.unwrap();
    for _ in 0..2 {
        assert!(keys.release("web-ky-1", &[1]).await.unwrap_err().is(ProblemType::FROZEN));
        keys.restart().await;
    }
    let narrow = ReleaseKeys { groups: vec![group(&[Field::Name], &[1])], ..ask("web-ky-2", &[1]) };
    keys.client("accounts").call(&narrow).await.unwrap();
    keys.client("response-1").call(&freeze(false)).await.unwrap();
    assert_eq!(keys.release("web-ky-1", &[1]).await, Ok(1));
    let frozen = |e: &&Event| matches!(e, Event::Froze { .. });
    assert_eq!(events(&keys).await.iter().filter(frozen).count(), 2);
}

#[tokio::test]
async fn decoys_are_named_once_and_ring_when_opened() {
    let keys = Keys::start().await;
    let accounts = keys.client("accounts");
    let claim = |from| ClaimDecoys { domain: Domain::Accounts, from: Record(from), count: 1_000 };
    let decoys = accounts.call(&claim(0)).await.unwrap().decoys;
    assert!(!decoys.is_empty() && decoys.is_sorted());
    let probe = accounts.call(&claim(0)).await.unwrap_err();
    assert!(probe.is(ProblemType::CONFLICT));
    accounts.call(&claim(1_000)).await.unwrap();
    accounts.call(&claim(500)).await.unwrap_err();

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
async fn a_fallen_response_cannot_grant_itself_a_warrant() {
    let keys = Keys::start().await;
    let response = keys.client("response-1");
    let [ann, bob] = &keys.approvers;
    let warrant = warrant(&keys, 100);
    for signatures in [
        vec![],
        vec![ann.sign(&warrant)],
        vec![ann.sign(&warrant), ann.sign(&warrant)],
        vec![ann.sign(&Warrant { records: 1, ..warrant.clone() }), bob.sign(&warrant)],
    ] {
        let warrant = Signed { order: warrant.clone(), signatures };
        let refused = response.call(&OpenWarrant { warrant }).await.unwrap_err();
        assert!(refused.is(ProblemType::WARRANT_REFUSED));
    }
    assert!(keys.alarms().await.iter().any(|a| a.kind == AlarmKind::RefusedWarrant));
    let draw = ReleaseKeys { warrant: Some(warrant.id), ..ask("response-1", &[1]) };
    let refused = keys.client("accounts").call(&draw).await.unwrap_err();
    assert!(refused.is(ProblemType::WARRANT_REFUSED));
}

#[tokio::test]
async fn a_warrant_is_drawn_down_leaves_decoys_out_and_survives_a_restart() {
    let mut keys = Keys::start().await;
    let claim = ClaimDecoys { domain: Domain::Accounts, from: Record(0), count: 1_000 };
    let decoy = keys.client("accounts").call(&claim).await.unwrap().decoys[0];
    let people: Vec<u32> = (0..1_000).filter(|r| *r != decoy.0).take(5).collect();

    let warrant = warrant(&keys, 3);
    let id = warrant.id;
    let open = OpenWarrant { warrant: keys.sign(warrant) };
    assert_eq!(keys.client("response-1").call(&open).await.unwrap(), id);
    let again = keys.client("response-1").call(&open).await.unwrap_err();
    assert!(again.is(ProblemType::WARRANT_REFUSED), "replayed");

    let mut wanted = vec![people[0], people[1], decoy.0];
    wanted.sort_unstable();
    let draw = |records: &[u32]| ReleaseKeys { warrant: Some(id), ..ask("response-1", records) };
    let released = keys.client("accounts").call(&draw(&wanted)).await.unwrap();
    assert_eq!((released.groups[0].records.len(), released.decoys), (2, vec![decoy]));
    keys.restart().await;
    keys.client("accounts").call(&draw(&people[2..3])).await.unwrap();
    let refused = keys.client("accounts").call(&draw(&people[3..4])).await.unwrap_err();
    assert!(refused.is(ProblemType::WARRANT_REFUSED), "used up");
    assert!(!keys.alarms().await.iter().any(|a| a.kind == AlarmKind::Decoy));

    keys.client("response-1").call(&CloseWarrant { warrant: id }).await.unwrap();
    keys.client("accounts").call(&draw(&people[..1])).await.unwrap_err();
}

#[tokio::test]
async fn the_log_grows_provably() {
    let mut keys = Keys::start().await;
    let mut before: Option<(u64, cofferdam_tlog::Hash)> = None;
    for round in 0..4_u32 {
        for n in 0..9 {
            keys.release("web-ky-1", &[round * 9 + n]).await.unwrap();
        }
        let since = before.map_or(0, |(size, _)| size);
        let answer = keys.client("response-1").call(&ReadCheckpoint { since }).await.unwrap();
        let checkpoint =
            cofferdam_tlog::notes::read_checkpoint(&answer.note, &keys.verifier).unwrap();
        if let Some((size, root)) = before {
            let proof = answer.consistency.into_iter().map(cofferdam_tlog::Hash).collect();
            let (now, new_root) = (checkpoint.size(), *checkpoint.hash());
            cofferdam_tlog::check_tree(&proof, now, new_root, size, root).unwrap();
        }
        before = Some((checkpoint.size(), *checkpoint.hash()));
        keys.restart().await;
    }
}

fn path<C: Call>(_: &C) -> &'static str {
    C::PATH
}

/// Every route, asked by a caller who may not: a new route without a line here fails.
#[tokio::test]
async fn every_route_refuses_a_stranger() {
    let keys = Keys::start().await;
    let stranger = keys.client("web-ky-1");
    let mut walked = Vec::new();
    macro_rules! refused {
        ($($call:expr),* $(,)?) => {$(
            let call = $call;
            walked.push(path(&call));
            let refused = stranger.call(&call).await.unwrap_err();
            let kind = refused.problem().unwrap().kind;
            assert_eq!(kind, ProblemType::NOT_GRANTED, "{}", path(&call));
        )*};
    }
    let caller = name("web-ky-1");
    let warrant = Signed { order: warrant(&keys, 1), signatures: vec![] };
    let id = warrant.order.id;
    let order = Signed {
        order: EpochOrder {
            domain: Domain::Accounts,
            change: EpochChange::Retire { epoch: Epoch(0) },
            until: warrant.order.until,
            break_glass: None,
        },
        signatures: vec![],
    };
    let void = Signed {
        order: VoidOrder {
            incident: 1,
            set_before: warrant.order.from,
            until: warrant.order.until,
            break_glass: None,
        },
        signatures: vec![],
    };
    refused![
        ask("web-ky-1", &[1]),
        HardenPasswords {
            caller: caller.clone(),
            items: vec![HardenItem { record: Record(1), hash: KeyBytes::new([0; 32]) }],
        },
        IndexAddresses { caller: caller.clone(), digests: vec![KeyBytes::new([0; 32])] },
        ClaimDecoys { domain: Domain::Accounts, from: Record(0), count: 1 },
        FreezeCaller { caller, frozen: false, reason: "x".into() },
        ListCallers {},
        ReadPolicy {},
        ChangePolicy { policy: keys.sign(keys.policy()) },
        ReportMail { record: Record(1) },
        ApproveVoid { order: void },
        LowerBudget {
            caller: name("web-ky-1"),
            operation: Operation::Release,
            budget: None,
            reason: "x".into()
        },
        ReadEpochs { domain: Domain::Accounts },
        ChangeEpoch { order },
        EraseRecords {
            domain: Domain::Accounts,
            caller: name("web-ky-1"),
            records: vec![Record(1)]
        },
        ProveInclusion { index: 0, size: 0 },
        Cosign { note: String::new() },
        OpenWarrant { warrant },
        CloseWarrant { warrant: id },
        ReadAlarms { after: 0 },
        ReadCheckpoint { since: 0 },
        ReadEntries { from: 0, limit: 1 },
    ];
    let source = include_str!("../../src/routes/mod.rs");
    assert_eq!(walked.len(), source.matches("call_route::<").count(), "a route is not walked");
    let alarms = keys.alarms().await;
    assert_eq!(alarms.iter().map(|a| a.kind).collect::<Vec<_>>(), [AlarmKind::RefusedGrant]);
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
        let refused = accounts.call(&wrong).await.unwrap_err();
        assert!(refused.is(ProblemType::BAD_REQUEST), "{wrong:?}");
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
    let refused = keys.client("accounts").call(&cross).await.unwrap_err();
    assert!(refused.is(ProblemType::NOT_GRANTED));
}

/// The same steps on each backend.
async fn keeps_its_tables(database: impl FnOnce(&std::path::Path) -> Location) {
    let dir = tempfile::tempdir().unwrap();
    let location = database(dir.path());
    let mut keys = Keys::start_on(dir, location).await;
    let response = |keys: &Keys| keys.client("response-1");
    let claim = ClaimDecoys { domain: Domain::Accounts, from: Record(0), count: 1_000 };
    let decoys = keys.client("accounts").call(&claim).await.unwrap().decoys;
    let freeze = FreezeCaller { caller: name("web-ky-2"), frozen: true, reason: "test".into() };
    response(&keys).call(&freeze).await.unwrap();
    response(&keys).call(&freeze).await.unwrap();
    let warrant = warrant(&keys, 1);
    let open = OpenWarrant { warrant: keys.sign(warrant) };
    let id = response(&keys).call(&open).await.unwrap();
    keys.release("web-ky-1", &[decoys[0].0]).await.unwrap();
    keys.rings(AlarmKind::Decoy).await;
    keys.release("web-ky-2", &[1]).await.unwrap_err();
    response(&keys).call(&CloseWarrant { warrant: id }).await.unwrap();

    let before = keys.alarms().await;
    assert_eq!(before.len(), 2);
    keys.restart().await;
    assert_eq!(keys.alarms().await, before);
    assert!(keys.release("web-ky-2", &[1]).await.unwrap_err().is(ProblemType::FROZEN));
    assert!(keys.client("accounts").call(&claim).await.is_err());
    let draw = ReleaseKeys { warrant: Some(id), ..ask("response-1", &[1]) };
    assert!(keys.client("accounts").call(&draw).await.is_err(), "closed stays closed");
    let statuses = response(&keys).call(&ListCallers {}).await.unwrap();
    let frozen: Vec<_> = statuses.iter().map(|s| (s.caller.as_str(), s.frozen)).collect();
    assert_eq!(frozen, [("accounts", false), ("web-ky-1", false), ("web-ky-2", true)]);
    keys.stop().await;
}

#[tokio::test]
async fn keeps_its_tables_in_sqlite() {
    keeps_its_tables(|dir| Location::Sqlite(dir.join("keys.db"))).await;
}

#[tokio::test]
async fn keeps_its_tables_in_postgres() {
    let database = testkit::postgres::Database::create().await;
    keeps_its_tables(|_| database.location()).await;
}

#[tokio::test]
async fn mail_to_a_decoy_names_who_opened_its_address() {
    let mut keys = Keys::start().await;
    let claim = ClaimDecoys { domain: Domain::Accounts, from: Record(0), count: 1_000 };
    let decoys = keys.client("accounts").call(&claim).await.unwrap().decoys;
    let decoy = decoys[0];
    keys.release("web-ky-1", &[decoy.0]).await.unwrap();
    let names = ReleaseKeys {
        groups: vec![group(&[Field::Name], &[decoy.0])],
        ..ask("web-ky-2", &[decoy.0])
    };
    keys.client("accounts").call(&names).await.unwrap();
    // A day later the answer comes from the index of that day.
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
