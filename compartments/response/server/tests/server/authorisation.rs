//! The callers that may make each call. Every route has a row here, or the test fails.

use cofferdam_core::{Call, CustomerNumber, Field, Operation, Personal, Record, Sha256};
use cofferdam_wire::certificate_chain;
use response_api::*;

use crate::bench::{Bench, code, declare};

const fn path<C: Call>(_: &C) -> &'static str {
    C::PATH
}

/// A server with a certificate of the authority is no member of staff.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table: one row for each route")]
async fn every_route_refuses_a_stranger() {
    let bench = Bench::start_alone().await;
    let stranger = bench.client("web-ky-1");
    let certificate = || certificate_chain(&bench.authority.files("web-ky-1").cert).unwrap();
    let mut walked = Vec::new();
    macro_rules! refused {
        ($($call:expr),* $(,)?) => {$(
            let call = $call;
            walked.push(path(&call));
            assert_eq!(code(stranger.call(&call).await), "not-granted", "{}", path(&call));
        )*};
    }
    let (incident, letter, log) = (IncidentId(1), LetterId(1), "ab".repeat(32));
    let caller: cofferdam_core::CallerName = "web-ky-2".parse().unwrap();
    let reason: cofferdam_core::Reason = "a test".parse().unwrap();
    let at = "2012-01-15T10:00:00Z".parse().unwrap();
    refused![
        BeginAccessLog { log: log.clone(), name: "a".to_owned(), format: "combined".to_owned() },
        ImportAccessLog { log: log.clone(), page: 0, accesses: vec![] },
        FinishAccessLog {
            log: log.clone(),
            covers: Span { from: at, to: at },
            unreadable: 0,
            source: None,
            stated: LogStatements::default(),
            catalogue: None,
            reads: LoggedReads::Shown,
        },
        ListAccessLogs {},
        RemoveAccessLog { log },
        ListAlarms { after: 0 },
        ListAnchors { incident, log: 0, from: 0, size: None },
        SealBag { incident, statement: String::new() },
        LowerBudget {
            incident,
            caller: caller.clone(),
            operation: Operation::Release,
            budget: Some(serde_json::json!({"minute": 1, "hour": 1, "day": 1})),
            order: None,
            reason: reason.clone(),
        },
        FreezeCaller {
            incident,
            caller: caller.clone(),
            frozen: true,
            reason: reason.clone(),
            key: None,
            order: None,
        },
        ReadHolds { caller: caller.clone() },
        AddRevokedKey { caller, certificate: certificate(), newer: None, reason: reason.clone() },
        ListCallers {},
        VoidCredentials { incident, whose: VoidWhose::Exposed, set_before: None },
        ListEpochs {},
        DraftVoidOrder { incident },
        ListEvidence { incident, log: 0, from: 0 },
        ReadExposure { incident, level: Level::Read, field: Field::Name },
        ReadGrounds { incident },
        declare(),
        crate::amend::nothing(incident),
        CloseIncident { incident, reason: reason.clone() },
        ListIncidents {},
        ScopeIncident { incident, from_log: false },
        ReadJournal { incident },
        ReadLedger { letter, from: 0, limit: 1, state: None },
        ListReturned { letter, from: 0, decided: false },
        ReadReturned { letter, person: 0, number: 0 },
        DecideReturned { letter, person: 0, seen: 1, decision: ReturnedDecision::Arrived },
        ListLetters { incident: None },
        PlanLetter { incident, audience: Audience::Staff },
        DraftLetter { letter },
        TestLetter {
            letter,
            version: Sha256([1; 32]),
            variant: 0,
            to: Personal::new("a@b.example")
        },
        StartLetter { letter, before_staff: None },
        PauseLetter { letter },
        PauseProvider { letter, provider: "others".to_owned() },
        ResumeProvider { letter, provider: "others".to_owned() },
        StopLetter { letter, reason },
        SettleLetter { letter, relayed: vec![], complete: false },
        ReadLetter { letter },
        PublishNotice { incident },
        ApplyOrder { order: SignedOrder::Policy(serde_json::Value::Null) },
        DraftPaperPost { letter },
        ReadPaperPost { letter, warrant: String::new(), from: 0 },
        FindPerson { key: "1".to_owned() },
        ReadPerson { incident, record: Record(0) },
        ResolveCustomerNumber { incident, number: CustomerNumber(0) },
        ReadPolicy {},
        MakeReport { incident },
        BeginTable { source: String::new(), replaces: None },
        ImportTable { import: TableImportId(1), people: vec![] },
        FinishTable { import: TableImportId(1), people: 0, rejected: 0 },
        ReadTable {},
    ];
    walked.sort_unstable();
    let mut paths = response_server::paths();
    paths.sort_unstable();
    assert_eq!(walked, paths, "a route has no row in this table");
    assert_eq!(bench.done(ListIncidents {}).await, [], "staff are let in, and nothing was done");
    assert_eq!(bench.journal(IncidentId::NONE).await, []);
}
