//! The callers that may make each call. Every route has a row here, or the test fails.

use cofferdam_core::{
    Base64Url, Call, CallerName, Clock, Domain, Epoch, KeyBytes, NewPasskey, Operation, Record,
    Sha256, StateId,
};
use cofferdam_wire::{Problem, ProblemType, certificate_chain};
use jiff::SignedDuration;
use keys_api::{
    AcceptState, AddRevokedKey, AlarmKind, AnchorJournal, ApproveVoidOrder, AskPasskey, Budget,
    ChangeEpoch, ChangePolicy, CheckCaller, CheckPasskey, CheckState, ClaimDecoys, CloseWarrant,
    CosignCheckpoint, EnrolItem, EnrolPasskey, EnrolPasswords, Enrolment, EpochChange, EpochOrder,
    EraseRecords, FreezeCaller, HoldId, IndexAddresses, JournalHead, ListCallers, ListGroups,
    ListRevokedKeys, LowerBudget, LoweringId, NewSession, NoteAddresses, NoteVoidOrder,
    ORDER_REFUSED, OpenWarrant, Passkey, PasskeyEnrolment, ProveEntry, ReadAlarms, ReadCheckpoint,
    ReadEntries, ReadEpochs, ReadHolds, ReadPolicy, ReportMail, RestoreBudget, RestoreOrder,
    Search, Signed, ThawCaller, ThawOrder, Ticket, VoidOrder,
};

use testkit::SoftPasskey;

use crate::support::{Keys, ask, name, typed, warrant};

/// An app server, the compartment in front of another domain, an auditor, the controller, and the
/// compartment in front of the customers.
const CALLERS: [&str; 5] = ["web-ky-1", "payments", "auditor-1", "response-1", "accounts"];

/// The code with which a call ends for each of [`CALLERS`].
type Ends = [Option<&'static str>; 5];

const NO: Option<&str> = Some(ProblemType::NOT_GRANTED.code);
const FRONT: Ends = [NO, NO, NO, NO, None];
const CONTROLLER: Ends = [NO, NO, NO, None, NO];
const AUDITOR: Ends = [NO, NO, None, None, NO];

/// The row of a call that ends with `code` for those callers that may make it.
const fn ending_with(mut ends: Ends, code: ProblemType) -> Ends {
    let mut n = 0;
    while n < ends.len() {
        if ends[n].is_none() {
            ends[n] = Some(code.code);
        }
        n += 1;
    }
    ends
}

struct Table {
    keys: Keys,
    paths: Vec<&'static str>,
}

impl Table {
    async fn row<C: Call>(&mut self, call: C, expected: Ends) {
        for (caller, expected) in CALLERS.into_iter().zip(expected) {
            let refused = self.keys.client(caller).call(&call).await.err();
            let problem = refused.map(|e| e.problem().cloned().unwrap());
            let code = problem.as_ref().map(Problem::code);
            assert_eq!(code, expected, "{} by {caller}: {problem:?}", C::PATH);
        }
        self.paths.push(C::PATH);
    }
}

#[tokio::test]
async fn every_route_refuses_who_may_not() {
    let keys = Keys::start().await;
    let mut table = Table { keys, paths: Vec::new() };
    fronts(&mut table).await;
    commands(&mut table).await;
    readers(&mut table).await;
    table.paths.sort_unstable();
    let mut paths = keys_server::paths();
    paths.sort_unstable();
    assert_eq!(table.paths, paths, "a route has no row in this table");
    let alarms = table.keys.alarms().await;
    let rang = |caller: &str| {
        alarms.iter().any(|a| a.kind == AlarmKind::RefusedGrant && a.caller == Some(name(caller)))
    };
    assert!(CALLERS.into_iter().all(rang), "{alarms:?}");
}

/// Calls of the compartment in front of the customers.
async fn fronts(table: &mut Table) {
    let caller = name("web-ky-1");
    let items = vec![EnrolItem { record: Record(1), hash: KeyBytes::new([0; 32]) }];
    table.row(ask("web-ky-1", &[1]), FRONT).await;
    table.row(typed("web-ky-1", Record(1)), FRONT).await;
    let on = Enrolment::Reset;
    table.row(EnrolPasswords { caller: caller.clone(), on, items }, FRONT).await;
    passkeys(table, &caller).await;
    let (incident, at) = (1, table.keys.clock.now());
    let roaring = vec![0x3a, 0x30, 0, 0, 0, 0, 0, 0];
    let noted = NoteVoidOrder { incident, set_before: at, opened_before: at, roaring };
    table.row(noted, FRONT).await;
    let digests = vec![KeyBytes::new([0; 32])];
    table.row(IndexAddresses { caller: caller.clone(), digests }, FRONT).await;
    let (ticket, search, records) = (Ticket(1), Search::Find, vec![Record(1)]);
    table.row(NoteAddresses { caller: caller.clone(), ticket, search, records }, FRONT).await;
    let (domain, from) = (Domain::Accounts, Record(0));
    table.row(ClaimDecoys { domain, from, count: 1 }, FRONT).await;
    table
        .row(ReportMail { caller: "mail-trap-1".parse().unwrap(), record: Record(1) }, FRONT)
        .await;
    table.row(EraseRecords { domain, caller, records: vec![Record(1)], held: true }, FRONT).await;
    let now = table.keys.clock.now();
    let state = StateId(7);
    table
        .row(
            CheckState {
                domain,
                state,
                is_new: false,
                beat: now,
                known: None,
                numbers: 1,
                troubles: vec![],
                seen: vec![],
            },
            FRONT,
        )
        .await;
    table.row(AcceptState { domain, state, beat: now, numbers: 1 }, FRONT).await;
    let until = now + SignedDuration::from_hours(1);
    let order =
        VoidOrder { incident: 1, set_before: now, until, break_glass: None, customers: None };
    let order = Signed { order, signatures: vec![] };
    table.row(ApproveVoidOrder { order }, ending_with(FRONT, ORDER_REFUSED)).await;
    table.row(ReadEpochs { domain }, [NO, NO, NO, None, None]).await;
}

/// A passkey that nobody certified gets no ticket, which is no problem.
async fn passkeys(table: &mut Table, caller: &CallerName) {
    let (caller, record, key) = (caller.clone(), Record(1), SoftPasskey::generate("shop.example"));
    let (passkey, session) = (key.public(), Sha256([7; 32]));
    let on = PasskeyEnrolment::Reset;
    let enrol = EnrolPasskey { caller: caller.clone(), on, record, passkey: passkey.clone() };
    table.row(enrol, FRONT).await;
    table.row(AskPasskey { caller: caller.clone(), session }, FRONT).await;
    let NewPasskey { public_key, algorithm, relying_party } = passkey;
    let (set_at, mac) = (table.keys.clock.now(), KeyBytes::new([0; 32]));
    let passkey = Passkey { public_key, algorithm, relying_party, set_at, mac };
    let session = NewSession { secret: session, until: set_at };
    let assertion = key.sign(&Base64Url(vec![0; 40]));
    table.row(CheckPasskey { caller, record, passkey, session, assertion }, FRONT).await;
}

/// Commands of the controller.
async fn commands(table: &mut Table) {
    let caller = name("web-ky-2");
    let reason: cofferdam_core::Reason = "a test".parse().unwrap();
    let certificate = certificate_chain(&table.keys.authority.files("web-ky-2").cert).unwrap();
    let revoke =
        AddRevokedKey { caller: caller.clone(), certificate, newer: None, reason: reason.clone() };
    table.row(revoke, CONTROLLER).await;
    table.row(ListGroups {}, [NO, None, None, None, None]).await;
    table.row(ListRevokedKeys {}, [NO, None, None, None, None]).await;
    table.row(CheckCaller { caller: caller.clone() }, CONTROLLER).await;
    let freeze = FreezeCaller { caller: caller.clone(), incident: 1, reason: reason.clone() };
    table.row(freeze, CONTROLLER).await;
    let until = table.keys.clock.now();
    let order = ThawOrder { caller: caller.clone(), incident: 1, hold: HoldId(1), until, reason };
    let order = Signed { order, signatures: vec![] };
    table.row(ThawCaller { order }, ending_with(CONTROLLER, ORDER_REFUSED)).await;
    table.row(ReadHolds { caller }, [NO, None, None, None, None]).await;
    let reason: cofferdam_core::Reason = "a test".parse().unwrap();
    let caller = name("web-ky-1");
    let (budget, operation) = (Budget { minute: 1, hour: 1, day: 1, burst: 0 }, Operation::Release);
    let order = RestoreOrder {
        caller: caller.clone(),
        operation,
        lowering: LoweringId(1),
        until,
        reason: reason.clone(),
    };
    table.row(LowerBudget { caller, operation, budget, reason }, CONTROLLER).await;
    let order = Signed { order, signatures: vec![] };
    table.row(RestoreBudget { order }, ending_with(CONTROLLER, ORDER_REFUSED)).await;
    let policy = Signed { order: table.keys.policy(), signatures: vec![] };
    table.row(ChangePolicy { policy }, ending_with(CONTROLLER, ORDER_REFUSED)).await;
    let until = table.keys.clock.now() + SignedDuration::from_hours(1);
    let change = EpochChange::Retire { epoch: Epoch(0) };
    let order = EpochOrder { domain: Domain::Accounts, change, until, break_glass: None };
    let order = Signed { order, signatures: vec![] };
    table.row(ChangeEpoch { order }, ending_with(CONTROLLER, ORDER_REFUSED)).await;
    let warrant = Signed { order: warrant(&table.keys, 1), signatures: vec![] };
    let id = warrant.order.id;
    let refused = ending_with(CONTROLLER, ProblemType::WARRANT_REFUSED);
    table.row(OpenWarrant { warrant }, refused).await;
    let missing = ending_with(CONTROLLER, ProblemType::NOT_FOUND);
    table.row(CloseWarrant { warrant: id }, missing).await;
    let bad = ending_with(CONTROLLER, ProblemType::BAD_REQUEST);
    table.row(CosignCheckpoint { note: String::new() }, bad).await;
    let end = JournalHead { length: 1, head: Sha256([7; 32]) };
    table.row(AnchorJournal { journal: 1, end }, CONTROLLER).await;
}

/// Calls by which the controller and the auditors read.
async fn readers(table: &mut Table) {
    table.row(ListCallers {}, CONTROLLER).await;
    table.row(ReadPolicy {}, CONTROLLER).await;
    table.row(ReadAlarms { after: 0 }, CONTROLLER).await;
    table.row(ReadCheckpoint { since: 0 }, AUDITOR).await;
    table.row(ReadEntries { from: 0, limit: 1 }, AUDITOR).await;
    table.row(ProveEntry { index: 0, size: 0 }, AUDITOR).await;
}
