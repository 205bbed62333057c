//! Freezing callers, and lowering budgets.

use cofferdam_core::{Call, CallerName, NO_SUCH_CALLER, Operation, Reason, STILL_HELD};
use cofferdam_wire::{ProblemType, certificate_chain};
use keys_api::{Hold, HoldId};
use response_api::{
    ActStage, AddRevokedKey, FreezeCaller, HELD_ELSEWHERE, IncidentId, KEY_IN_FORCE, ListIncidents,
    LowerBudget, PARTLY_DONE, ThawedKey,
};
use response_server::store::Finding;
use testkit::until;

use crate::bench::Bench;

const INTENDED: Option<ActStage> = Some(ActStage::Intended);
const DONE: Option<ActStage> = Some(ActStage::Done);
const FAILED: Option<ActStage> = Some(ActStage::Failed);

pub fn freeze(incident: IncidentId, frozen: bool) -> FreezeCaller {
    let caller = "web-ky-1".parse().unwrap();
    let key = (!frozen).then_some(ThawedKey::Same);
    let reason = "it opened a decoy".parse().unwrap();
    let order = (!frozen).then(|| thaw_order("web-ky-1", incident));
    FreezeCaller { incident, caller, frozen, reason, key, order }
}

/// The order that ends the hold of an incident. `keys` would check the signature.
pub fn thaw_order(caller: &str, incident: IncidentId) -> serde_json::Value {
    serde_json::json!({
        "order": {
            "caller": caller,
            "incident": incident,
            "hold": incident,
            "until": "2012-01-15T13:00:00Z",
            "reason": "it opened a decoy",
        },
        "signatures": [{ "approver": "ann", "signature": "" }],
    })
}

/// The orders about `web-ky-1` that a neighbour got, oldest first: frozen or not.
pub fn frozen_at(bench: &Bench, name: &str) -> Vec<bool> {
    let taken = |frozen: bool, caller: CallerName, reason: Reason| {
        assert_eq!((caller.as_str(), reason.as_str()), ("web-ky-1", "it opened a decoy"));
        frozen
    };
    let neighbours = &bench.neighbours;
    if name == "keys" {
        let book = neighbours.book();
        let orders = book.taken.iter().filter(|(of, ..)| *of == "keys");
        return orders
            .filter_map(|(_, path, _)| match *path {
                keys_api::FreezeCaller::PATH => Some(true),
                keys_api::ThawCaller::PATH => Some(false),
                _ => None,
            })
            .collect();
    }
    let calls = neighbours.taken::<accounts_api::FreezeCaller>(name);
    calls.into_iter().map(|call| taken(call.frozen, call.caller, call.reason)).collect()
}

async fn kept_as_frozen(bench: &Bench, incident: IncidentId) -> Vec<CallerName> {
    let frozen = bench.store().await.finding(incident, Finding::Frozen).await.unwrap();
    frozen.unwrap_or_default()
}

#[tokio::test]
async fn a_freeze_arrives_everywhere_and_stands_in_the_journal_twice() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    bench.done(freeze(incident, true)).await;
    for name in ["keys", "accounts", "payments"] {
        assert_eq!(frozen_at(&bench, name), [true], "{name}");
    }
    let freeze_at = |stage| ("freeze".to_owned(), stage);
    assert_eq!(bench.last_acts(incident).await, [freeze_at(INTENDED), freeze_at(DONE)]);
    let entry = bench.journal(incident).await.pop().unwrap();
    assert_eq!(entry.detail, "web-ky-1: it opened a decoy");
    assert_eq!(kept_as_frozen(&bench, incident).await.len(), 1);
    bench.done(freeze(incident, true)).await;
    assert_eq!(kept_as_frozen(&bench, incident).await.len(), 1, "frozen once");
    bench.done(freeze(incident, false)).await;
    assert_eq!(kept_as_frozen(&bench, incident).await, []);
}

#[tokio::test]
async fn a_freeze_that_did_not_arrive_says_where() {
    let bench = Bench::start_alone().await;
    let incident = bench.declare().await;
    let refused = bench.refused(freeze(incident, true), PARTLY_DONE).await;
    for compartment in ["keys", "accounts", "payments"] {
        assert!(refused.detail.contains(compartment), "{}", refused.detail);
    }
    let freeze_at = |stage| ("freeze".to_owned(), stage);
    assert_eq!(bench.last_acts(incident).await, [freeze_at(INTENDED), freeze_at(FAILED)]);
    let entry = bench.journal(incident).await.pop().unwrap();
    assert_eq!(entry.detail, "web-ky-1: it opened a decoy: partly-done");
    assert_eq!(kept_as_frozen(&bench, incident).await, []);
}

/// A compartment that fails does not delay the others, and giving the order again is safe.
#[tokio::test]
async fn a_freeze_is_given_to_the_others_if_one_fails() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    bench.neighbours.refuse::<keys_api::FreezeCaller>("keys", ProblemType::INTERNAL);
    let refused = bench.refused(freeze(incident, true), PARTLY_DONE).await;
    assert!(refused.detail.contains("keys") && !refused.detail.contains("payments"));
    assert_eq!(frozen_at(&bench, "accounts"), [true]);
    assert_eq!(frozen_at(&bench, "payments"), [true]);
    assert_eq!(kept_as_frozen(&bench, incident).await, []);
    bench.neighbours.relent();
    bench.done(freeze(incident, true)).await;
    assert_eq!(kept_as_frozen(&bench, incident).await.len(), 1);
}

/// An act that can't be journalled is not begun, so that no act goes unseen.
#[tokio::test]
async fn a_freeze_that_cant_be_journalled_is_not_given() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    bench
        .execute(
            "CREATE TRIGGER full BEFORE INSERT ON journal
             BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
        )
        .await;
    bench.refused(freeze(incident, true), ProblemType::INTERNAL).await;
    assert!(frozen_at(&bench, "keys").is_empty());
    bench.execute("DROP TRIGGER full").await;
    assert_eq!(bench.journal(incident).await.len(), 1);
}

/// An act that was done but could not be kept stands in the journal as intended and failed.
#[tokio::test]
async fn a_freeze_that_cant_be_kept_is_journalled_as_failed() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    bench
        .execute(
            "CREATE TRIGGER full BEFORE INSERT ON finding
             BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
        )
        .await;
    bench.refused(freeze(incident, true), ProblemType::INTERNAL).await;
    assert_eq!(frozen_at(&bench, "keys"), [true]);
    let freeze_at = |stage| ("freeze".to_owned(), stage);
    assert_eq!(bench.last_acts(incident).await, [freeze_at(INTENDED), freeze_at(FAILED)]);
    assert_eq!(kept_as_frozen(&bench, incident).await, []);
}

#[tokio::test]
async fn a_freeze_goes_on_although_its_caller_went_away() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    let permits = bench.neighbours.hold::<keys_api::FreezeCaller>("keys");
    let staff = bench.staff();
    let call = tokio::spawn(async move { staff.call(&freeze(incident, true)).await });
    bench.neighbours.until_taken::<keys_api::FreezeCaller>("keys").await;
    // They get it although `keys` has not answered yet.
    bench.neighbours.until_taken::<accounts_api::FreezeCaller>("accounts").await;
    bench.neighbours.until_taken::<payments_api::FreezeCaller>("payments").await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(bench.last_acts(incident).await, [("freeze".to_owned(), INTENDED)]);
    permits.add_permits(1);
    while bench.journal(incident).await.len() < 3 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(bench.last_acts(incident).await, [("freeze".to_owned(), DONE)]);
}

#[tokio::test]
async fn a_caller_that_keys_does_not_know_is_frozen_nowhere() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    bench.neighbours.refuse::<keys_api::CheckCaller>("keys", NO_SUCH_CALLER);
    bench.refused(freeze(incident, true), NO_SUCH_CALLER).await;
    for name in ["keys", "accounts", "payments"] {
        assert!(frozen_at(&bench, name).is_empty(), "{name} was asked");
    }
    assert_eq!(kept_as_frozen(&bench, incident).await, []);
    assert_eq!(bench.last_acts(incident).await, [("freeze".to_owned(), FAILED)]);
}

#[tokio::test]
async fn a_caller_is_thawed_when_every_incident_lets_go() {
    let bench = Bench::start().await;
    let (first, second) = (bench.declare().await, bench.declare().await);
    bench.done(freeze(first, true)).await;
    let both = bench.done(freeze(second, true)).await;
    assert_eq!((both.frozen, both.held_by), (true, vec![first, second]));
    let one = bench.done(freeze(first, false)).await;
    assert_eq!((one.frozen, one.held_by), (true, vec![second]));
    assert_eq!(frozen_at(&bench, "keys"), [true, true, false], "one hold ended");
    assert_eq!(frozen_at(&bench, "accounts"), [true, true], "nobody thawed it");
    bench.refused(freeze(first, false), HELD_ELSEWHERE).await;
    bench.refused(freeze(bench.declare().await, false), HELD_ELSEWHERE).await;
    let none = bench.done(freeze(second, false)).await;
    assert_eq!((none.frozen, none.held_by), (false, vec![]));
    for name in ["accounts", "payments"] {
        assert_eq!(frozen_at(&bench, name), [true, true, false], "{name}");
    }
}

/// A thaw takes a signed order about this caller and incident, as long as `keys` has a hold.
#[tokio::test]
async fn a_thaw_without_an_order_or_with_another_one_is_not_begun() {
    let bench = Bench::start().await;
    let (incident, other) = (bench.declare().await, bench.declare().await);
    bench.done(freeze(incident, true)).await;
    let thaw = freeze(incident, false);
    for order in [
        None,
        Some(thaw_order("web-ky-2", incident)),
        Some(thaw_order("web-ky-1", other)),
        Some(serde_json::json!({"order": {}})),
    ] {
        let bad = FreezeCaller { order, ..thaw.clone() };
        bench.refused(bad, ProblemType::BAD_REQUEST).await;
    }
    assert_eq!(bench.journal(incident).await.len(), 3, "no thaw was begun");
    assert_eq!(kept_as_frozen(&bench, incident).await.len(), 1);
    bench.done(thaw.clone()).await;
    // Where no hold is left, the other compartments are told again without an order.
    let again = bench.done(FreezeCaller { order: None, ..thaw }).await;
    assert!(!again.frozen);
}

/// Of the freezes from before `keys` knew incidents, this compartment knows whose they are.
#[tokio::test]
async fn holds_from_before_end_with_the_last_incident() {
    let bench = Bench::start().await;
    let (first, second) = (bench.declare().await, bench.declare().await);
    bench.done(freeze(first, true)).await;
    bench.done(freeze(second, true)).await;
    let caller: CallerName = "web-ky-1".parse().unwrap();
    let before = vec![Hold { incident: 0, hold: HoldId::BEFORE }];
    bench.neighbours.book().holds.insert(caller, before);
    let one = bench.done(freeze(first, false)).await;
    assert_eq!((one.frozen, one.held_by), (true, vec![second]));
    bench.refused(freeze(first, false), HELD_ELSEWHERE).await;
    assert_eq!(frozen_at(&bench, "keys"), [true, true], "nothing ended there");
    let mut last = freeze(second, false);
    last.order.as_mut().unwrap()["order"]["hold"] = 0.into();
    assert!(!bench.done(last).await.frozen);
    assert_eq!(frozen_at(&bench, "accounts"), [true, true, false]);
}

/// Another instance of `response` freezes the caller while this one thaws it.
#[tokio::test]
async fn a_caller_that_is_frozen_meanwhile_stays_frozen() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    bench.done(freeze(incident, true)).await;
    bench.neighbours.refuse::<accounts_api::FreezeCaller>("accounts", STILL_HELD);
    bench.neighbours.refuse::<payments_api::FreezeCaller>("payments", STILL_HELD);
    bench.done(freeze(incident, false)).await;
}

/// A thaw that fails half-way leaves no letter that says the server is shut off.
#[tokio::test]
async fn a_thaw_that_did_not_arrive_everywhere_holds_nobody() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    bench.done(freeze(incident, true)).await;
    bench.neighbours.refuse::<payments_api::FreezeCaller>("payments", ProblemType::INTERNAL);
    bench.refused(freeze(incident, false), PARTLY_DONE).await;
    assert_eq!(kept_as_frozen(&bench, incident).await, []);
    bench.neighbours.relent();
    assert!(!bench.done(freeze(incident, false)).await.frozen);
}

fn lower(incident: IncidentId, budget: serde_json::Value) -> LowerBudget {
    LowerBudget {
        incident,
        caller: "web-ky-1".parse().unwrap(),
        operation: Operation::Release,
        budget: Some(budget),
        order: None,
        reason: "until it is rebuilt".parse().unwrap(),
    }
}

#[tokio::test]
async fn a_budget_is_lowered_at_keys_and_given_back() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    let budget = serde_json::json!({"minute": 10, "hour": 100, "day": 500, "burst": 0});
    bench.done(lower(incident, budget.clone())).await;
    let entry = bench.journal(incident).await.pop().unwrap();
    assert_eq!((entry.action.as_str(), entry.stage), ("budget", DONE));
    assert_eq!(
        entry.detail,
        "web-ky-1 release: 10 a minute, 100 an hour, 500 a day, 0 in bursts: until it is rebuilt"
    );
    let restore = |order| LowerBudget { budget: None, order, ..lower(incident, budget.clone()) };
    bench.refused(restore(None), ProblemType::BAD_REQUEST).await;
    for (caller, taken) in [("web-ky-2", false), ("web-ky-1", true)] {
        let order = serde_json::to_value(restore_order(caller)).unwrap();
        if taken {
            bench.done(restore(Some(order))).await;
        } else {
            bench.refused(restore(Some(order)), ProblemType::BAD_REQUEST).await;
        }
    }
    let taken = bench.neighbours.taken::<keys_api::LowerBudget>("keys");
    assert_eq!(taken.iter().map(|call| call.budget.hour).collect::<Vec<_>>(), [100]);
    let taken = bench.neighbours.taken::<keys_api::RestoreBudget>("keys");
    assert_eq!(taken.iter().map(|call| call.order.order.lowering.0).collect::<Vec<_>>(), [5]);
    let entry = bench.journal(incident).await.pop().unwrap();
    assert!(entry.detail.contains("as the policy says"), "{}", entry.detail);
}

/// An order that `keys` would check.
pub fn restore_order(caller: &str) -> keys_api::Signed<keys_api::RestoreOrder> {
    let order = keys_api::RestoreOrder {
        caller: caller.parse().unwrap(),
        operation: Operation::Release,
        lowering: keys_api::LoweringId(5),
        until: "2012-01-16T04:00:00Z".parse().unwrap(),
        reason: "it was rebuilt".parse().unwrap(),
    };
    keys_api::Signed { order, signatures: vec![] }
}

#[tokio::test]
async fn a_budget_that_keys_did_not_lower_is_journalled_as_failed() {
    let bench = Bench::start_alone().await;
    let incident = bench.declare().await;
    let malformed = lower(incident, serde_json::json!({"minute": -1}));
    bench.refused(malformed, ProblemType::BAD_REQUEST).await;
    assert_eq!(bench.journal(incident).await.len(), 1);
    let budget = serde_json::json!({"minute": 10, "hour": 100, "day": 500});
    bench.refused(lower(incident, budget), ProblemType::UPSTREAM).await;
    let budget_at = |stage| ("budget".to_owned(), stage);
    assert_eq!(bench.last_acts(incident).await, [budget_at(INTENDED), budget_at(FAILED)]);
}

#[tokio::test]
async fn a_thaw_says_whether_the_key_is_new_and_a_new_one_needs_the_old_one_revoked() {
    let bench = Bench::start().await;
    let incident = bench.declare().await;
    bench.done(freeze(incident, true)).await;
    let thaw = |key| FreezeCaller { key, ..freeze(incident, false) };
    let refused = async |call| bench.staff().call(&call).await.unwrap_err();
    assert!(refused(thaw(None)).await.is(ProblemType::BAD_REQUEST));
    let claimed = thaw(Some(ThawedKey::Changed));
    assert!(refused(claimed.clone()).await.is(KEY_IN_FORCE));
    assert_eq!(frozen_at(&bench, "keys"), [true], "nothing was thawed");

    let revoke = AddRevokedKey {
        caller: "web-ky-1".parse().unwrap(),
        certificate: certificate_chain(&bench.authority.files("web-ky-1").cert).unwrap(),
        newer: None,
        reason: "its host fell".parse().unwrap(),
    };
    bench.done(revoke).await;
    let acts = bench.last_acts(IncidentId::NONE).await;
    let revoked_at = |stage| ("key.revoke".to_owned(), stage);
    assert_eq!(acts, [revoked_at(INTENDED), revoked_at(DONE)]);
    bench.done(claimed).await;
    assert_eq!(frozen_at(&bench, "keys"), [true, false]);
    let entry = bench.journal(incident).await.pop().unwrap();
    assert_eq!(entry.detail, "web-ky-1 (with a new key): it opened a decoy");
}

/// The key was revoked through another instance: this one learns it from `keys`, and keeps it.
#[tokio::test]
async fn a_revoked_key_of_staff_is_refused_and_kept() {
    let bench = Bench::start().await;
    let stolen = bench.staff();
    stolen.call(&ListIncidents {}).await.unwrap();
    let key = bench.authority.key("operator-1");
    let (caller, reason) = ("operator-1".parse().unwrap(), "stolen".parse().unwrap());
    let certificate = certificate_chain(&bench.authority.files("operator-1").cert).unwrap();
    let revoke = AddRevokedKey { caller, certificate, newer: None, reason };
    let revoke = serde_json::to_value(revoke).unwrap();
    bench.neighbours.book().taken.push(("keys", AddRevokedKey::PATH, revoke));
    until(async || stolen.call(&ListIncidents {}).await.is_err()).await;
    let refused = stolen.call(&ListIncidents {}).await.unwrap_err();
    assert!(refused.is(ProblemType::NOT_GRANTED), "the open connection gets no answer: {refused}");
    assert!(bench.staff().call(&ListIncidents {}).await.is_err());
    let store = bench.store().await;
    until(async || store.db().revoked_keys().await.unwrap() == [key]).await;
    bench.authority.renew("operator-1");
    bench.done(ListIncidents {}).await;
}
