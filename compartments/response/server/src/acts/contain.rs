//! Containing an incident: freezing callers, voiding credentials, lowering budgets.

use std::sync::Arc;

use accounts_api::{RevokeSessions, VoidCredentials, VoidOutcome, VoidWhose};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::CallerName;
use cofferdam_wire::{CallError, Problem};
use keys_api::{Budget, ListRevokedKeys, Signed, VoidOrder};
use response_api::{
    ActStage, AddRevokedKey, FreezeCaller, IncidentId, JournalAct, KEY_IN_FORCE, LowerBudget,
    PARTLY_DONE, ThawedKey, Voided,
};
use roaring::RoaringBitmap;

use super::claims::hold_to_claims;
use crate::app::App;
use crate::staff::Author;
use crate::store::{Act, Finding, VoidedSome, bitmap_bytes};

/// Freezes or thaws a caller in every compartment. All three are asked, even if one fails.
pub async fn freeze(app: &Arc<App>, call: FreezeCaller, by: &Author) -> Result<(), Problem> {
    let action = if call.frozen { JournalAct::Freeze } else { JournalAct::Thaw };
    let key = match call.key {
        Some(ThawedKey::Changed) => " (with a new key)",
        Some(ThawedKey::Same) => " (with the same key)",
        None => "",
    };
    let detail = format!("{}{key}: {}", call.caller, call.reason);
    let act = app.act(call.incident, by, action, detail);
    let (worker, done) = (app.clone(), act.clone());
    app.intended(act, async move {
        let failed: Vec<_> = freeze_everywhere(&worker, &call)
            .await
            .into_iter()
            .filter_map(|(compartment, answer)| Some(format!("{compartment} ({})", answer.err()?)))
            .collect();
        if !failed.is_empty() {
            let what = format!("not done in {}; done elsewhere", failed.join(", "));
            return Err(Problem::new(PARTLY_DONE, what));
        }
        keep_frozen(&worker, &call, &worker.at_stage(&done, ActStage::Done)).await?;
        // A letter that says that the caller is shut off stops before the thaw is answered.
        if !call.frozen
            && let Err(problem) = hold_to_claims(&worker).await
        {
            tracing::warn!(%problem, "the claims of letters could not be checked after a thaw");
        }
        Ok(())
    })
    .await
}

/// Checks that a thaw says whether the caller has a new key, and that the old one was revoked if it
/// has.
pub async fn check_key(app: &App, call: &FreezeCaller) -> Result<(), Problem> {
    match (call.frozen, call.key) {
        (true, None) | (false, Some(ThawedKey::Same)) => Ok(()),
        (true, Some(_)) => Err(Problem::bad_request("key: only a thaw says whether it is new")),
        (false, None) => Err(Problem::bad_request("key: say whether the caller has a new key")),
        (false, Some(ThawedKey::Changed)) => {
            let revoked = app.compartments.keys.call(&ListRevokedKeys {}).await?;
            if revoked.iter().any(|of| of.caller == call.caller) {
                return Ok(());
            }
            let what = format!("no key of {} was revoked, so its old key is in force", call.caller);
            Err(Problem::new(KEY_IN_FORCE, what))
        }
    }
}

/// Revokes the key of a caller's certificate at `keys`, from which every compartment takes it.
pub async fn revoke_key(app: &Arc<App>, call: AddRevokedKey, by: &Author) -> Result<(), Problem> {
    let detail = format!("{} {}: {}", call.caller, call.key, call.reason);
    let act = app.act(IncidentId::NONE, by, JournalAct::RevokeKey, detail);
    let worker = app.clone();
    app.journalled(act, async move {
        let AddRevokedKey { caller, key, reason } = call;
        let call = keys_api::AddRevokedKey { caller, key, reason };
        worker.compartments.keys.call(&call).await?;
        worker.revoked.add([key]);
        Ok(())
    })
    .await
}

/// Asks all three at once, so that a compartment that hangs does not delay the others.
async fn freeze_everywhere(
    app: &App,
    call: &FreezeCaller,
) -> [(&'static str, Result<(), CallError>); 3] {
    let FreezeCaller { caller, frozen, reason, .. } = call.clone();
    let freeze = cofferdam_core::FreezeCaller { caller, frozen, reason };
    let (keys, accounts, payments) = tokio::join!(
        app.compartments.keys.call(&freeze),
        app.compartments.accounts.call(&freeze),
        app.compartments.payments.call(&freeze)
    );
    [("keys", keys), ("accounts", accounts), ("payments", payments)]
}

/// Keeps the frozen callers of an incident.
async fn keep_frozen(app: &App, call: &FreezeCaller, done: &Act) -> Result<(), Problem> {
    let before = app.store.finding::<Vec<CallerName>>(call.incident, Finding::Frozen).await?;
    let mut frozen = before.unwrap_or_default();
    frozen.retain(|caller| *caller != call.caller);
    if call.frozen {
        frozen.push(call.caller.clone());
    }
    Ok(app.store.set_finding(Finding::Frozen, &frozen, done).await?)
}

/// Lowers a caller's budget at `keys`, or restores the policy's budget.
pub async fn lower_budget(app: &Arc<App>, call: LowerBudget, by: &Author) -> Result<(), Problem> {
    let LowerBudget { incident, caller, operation, budget, reason } = call;
    let budget: Option<Budget> = budget
        .map(serde_json::from_value)
        .transpose()
        .map_err(|e| Problem::bad_request(format!("budget: {e}")))?;
    let what = match budget {
        Some(Budget { minute, hour, day, burst }) => {
            format!("{minute} a minute, {hour} an hour, {day} a day, {burst} in bursts")
        }
        None => "as the policy says".to_owned(),
    };
    let detail = format!("{caller} {operation}: {what}: {reason}");
    let act = app.act(incident, by, JournalAct::LowerBudget, detail);
    let worker = app.clone();
    app.journalled(act, async move {
        let call = keys_api::LowerBudget { caller, operation, budget, reason };
        Ok(worker.compartments.keys.call(&call).await?)
    })
    .await
}

/// Voids everybody's credentials and ends all sessions, by an order that two people signed. A
/// second order would void passwords that customers have set since, so it gets the first order's
/// answer.
pub async fn void_everybody(
    app: &Arc<App>,
    signed: Signed<VoidOrder>,
    by: &Author,
) -> Result<Voided, Problem> {
    let incident = IncidentId(signed.order.incident);
    let set_before = signed.order.set_before;
    let glass = signed.order.break_glass.as_ref();
    let glass = glass.map_or_else(String::new, |reason| format!("; glass broken: {reason}"));
    let detail = format!("credentials set up to {set_before} and all sessions{glass}");
    let order = serde_json::to_string(&signed).map_err(|e| Problem::internal(&e))?;
    let whose = VoidWhose::Everybody { order };
    let order = VoidCredentials { incident: incident.0, set_before, whose };
    let act = app.act(incident, by, JournalAct::VoidEverybody, detail);

    let _one_at_a_time = app.voiding.lock().await;
    if let Some(voided) = app.store.finding::<Voided>(incident, Finding::Voided).await? {
        return Ok(voided);
    }
    let (worker, done) = (app.clone(), act.clone());
    app.intended(act, async move {
        let accounts = &worker.compartments.accounts;
        let order = accounts.call(&order).await?;
        let revoke = RevokeSessions { incident: incident.0, opened_before: worker.now() };
        let sessions = accounts.call(&revoke).await?;
        let voided = Voided {
            order: order.order,
            set_before: Some(set_before),
            customers: order.customers,
            sessions,
            seconds: order.seconds,
        };
        let done = worker.at_stage(&done, ActStage::Done);
        worker.store.set_finding(Finding::Voided, &voided, &done).await?;
        Ok(voided)
    })
    .await
}

/// Voids the credentials of some customers, and ends their sessions. `group` describes them.
pub async fn void_some(
    app: &Arc<App>,
    incident: IncidentId,
    records: &RoaringBitmap,
    group: &str,
    by: &Author,
) -> Result<Voided, Problem> {
    if records.is_empty() {
        return Err(Problem::bad_request("the order covers no customer"));
    }
    let detail = format!("credentials and sessions of {group}: {} customers", records.len());
    let (roaring, set_before) = (bitmap_bytes(records)?, app.now());
    let whose = VoidWhose::Only { roaring: roaring.clone() };
    let order = VoidCredentials { incident: incident.0, set_before, whose };
    let act = app.act(incident, by, JournalAct::VoidSome, detail);
    let (worker, done) = (app.clone(), act.clone());
    app.intended(act, async move {
        let order = worker.compartments.accounts.call(&order).await?;
        let VoidOutcome { order, customers, seconds } = order;
        let kept = VoidedSome { set_before, roaring: STANDARD.encode(roaring) };
        let _one_at_a_time = worker.voiding.lock().await;
        let before = worker.store.finding::<Vec<VoidedSome>>(incident, Finding::VoidedSome).await?;
        let mut all = before.unwrap_or_default();
        all.push(kept);
        let done = worker.at_stage(&done, ActStage::Done);
        worker.store.set_finding(Finding::VoidedSome, &all, &done).await?;
        Ok(Voided { order, set_before: Some(set_before), customers, sessions: 0, seconds })
    })
    .await
}
