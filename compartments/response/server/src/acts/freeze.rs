//! Freezing callers, and letting go of them. `keys` keeps the holds, and takes the signature of an
//! approver for the end of one.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_core::{CallerName, NO_SUCH_CALLER, STILL_HELD};
use cofferdam_wire::{CallError, Problem, key_of_chain};
use keys_api::{CheckCaller, HoldId, ListRevokedKeys, ReadHolds, Signed, ThawCaller, ThawOrder};
use response_api::{
    ActStage, AddRevokedKey, CallerHolds, FreezeCaller, HELD_ELSEWHERE, IncidentId, JournalAct,
    KEY_IN_FORCE, PARTLY_DONE, ThawedKey,
};

use tokio::time::timeout;

use super::claims::hold_to_claims;
use crate::app::{App, Compartments};
use crate::staff::Author;
use crate::store::Hold;

/// The longest time for which a freeze waits until `keys` says whether it knows the caller.
const CHECK_WITHIN: Duration = Duration::from_millis(500);

/// Freezes a caller in every compartment for an incident, or lets go of it. The last incident that
/// lets go thaws it.
pub async fn freeze(
    app: &Arc<App>,
    call: FreezeCaller,
    by: &Author,
) -> Result<CallerHolds, Problem> {
    let action = if call.frozen { JournalAct::Freeze } else { JournalAct::Thaw };
    let key = match call.key {
        Some(ThawedKey::Changed) => " (with a new key)",
        Some(ThawedKey::Same) => " (with the same key)",
        None => "",
    };
    let detail = format!("{}{key}: {}", call.caller, call.reason);
    let act = app.act(call.incident, by, action, detail);
    let (worker, done) = (app.clone(), act.clone());
    // Orders about one caller wait for each other, so that a thaw sees every freeze before it.
    let turn = app.turn_of(&call.caller).lock_owned().await;
    let order = if call.frozen { None } else { ending(app, &call).await? };
    app.intended(act, async move {
        let _one_at_a_time = turn;
        let hold = Hold { incident: call.incident, caller: &call.caller };
        let done = worker.at_stage(&done, ActStage::Done);
        if call.frozen {
            freeze_everywhere(&worker, &call).await?;
            worker.store.hold(hold, &done).await?;
        } else {
            // From here on no letter says that the server is shut off, even if the thaw fails.
            worker.store.release(hold).await?;
            thaw(&worker, &call, order).await?;
            worker.store.journal(&done).await?;
            // A letter that says that the caller is shut off stops before the thaw is answered.
            if let Err(problem) = hold_to_claims(&worker).await {
                tracing::warn!(%problem, "the claims of letters could not be checked after a thaw");
            }
        }
        let held = Held::read(&worker, &call.caller).await?;
        Ok(CallerHolds { frozen: held.is_frozen(), held_by: held.by.into_iter().collect() })
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
    let key = key_of_chain(&call.certificate).map_err(|e| Problem::bad_request(e.to_string()))?;
    let detail = format!("{} {key}: {}", call.caller, call.reason);
    let act = app.act(IncidentId::NONE, by, JournalAct::RevokeKey, detail);
    let worker = app.clone();
    app.journalled(act, async move {
        worker.compartments.keys.call(&call).await?;
        worker.revoked.add([key]);
        Ok(())
    })
    .await
}

/// The incidents that hold a caller.
struct Held {
    by: BTreeSet<IncidentId>,
    /// The incidents of which `keys` itself knows that they hold the caller.
    at_keys: BTreeSet<IncidentId>,
    /// Whether `keys` has a hold from before it knew incidents. This compartment knows whose it is.
    before: bool,
}

impl Held {
    async fn read(app: &App, caller: &CallerName) -> Result<Self, Problem> {
        let holds = app.compartments.keys.call(&ReadHolds { caller: caller.clone() }).await?;
        let before = holds.iter().any(|of| of.hold == HoldId::BEFORE);
        let own = holds.iter().filter(|of| of.hold != HoldId::BEFORE);
        let at_keys: BTreeSet<_> = own.map(|of| IncidentId(of.incident)).collect();
        let mut by = at_keys.clone();
        if before {
            by.extend(app.store.holders(caller).await?);
        }
        Ok(Self { by, at_keys, before })
    }

    fn is_frozen(&self) -> bool {
        self.before || !self.by.is_empty()
    }
}

/// The order to hand to `keys`, if the incident lets go of a hold there. Refuses a thaw for an
/// incident that does not hold the caller while another one does.
async fn ending(app: &App, call: &FreezeCaller) -> Result<Option<Signed<ThawOrder>>, Problem> {
    let FreezeCaller { caller, incident, .. } = call;
    let held = Held::read(app, caller).await?;
    if !held.by.is_empty() && !held.by.contains(incident) {
        let others = incidents_text(&held.by);
        let what = format!("{caller} is not frozen for incident {incident}; it is for {others}");
        return Err(Problem::new(HELD_ELSEWHERE, what));
    }
    let others = held.by.iter().any(|of| of != incident);
    let ends_before = held.before && !others;
    if !held.at_keys.contains(incident) && !ends_before {
        return Ok(None);
    }
    let Some(order) = call.order.clone() else {
        return Err(Problem::bad_request("order: a thaw takes an order that an approver signed"));
    };
    let signed: Signed<ThawOrder> = serde_json::from_value(order)
        .map_err(|e| Problem::bad_request(format!("order: not a signed order to thaw: {e}")))?;
    if (&signed.order.caller, signed.order.incident) != (caller, incident.0) {
        return Err(Problem::bad_request("order: another caller or incident was signed"));
    }
    Ok(Some(signed))
}

/// Has `keys` end the hold, and then the others thaw the caller if no hold is left. They ask `keys`
/// themselves.
async fn thaw(
    app: &App,
    call: &FreezeCaller,
    order: Option<Signed<ThawOrder>>,
) -> Result<(), Problem> {
    if let Some(order) = order {
        app.compartments.keys.call(&ThawCaller { order }).await?;
    }
    if Held::read(app, &call.caller).await?.is_frozen() {
        return Ok(());
    }
    let thaw = order_elsewhere(call);
    let Compartments { accounts, payments, .. } = &app.compartments;
    let (accounts, payments) = tokio::join!(accounts.call(&thaw), payments.call(&thaw));
    // The caller was frozen again meanwhile, and stays so.
    let thawed = |answer: Result<(), CallError>| match answer {
        Err(e) if e.is(STILL_HELD) => Ok(()),
        answer => answer,
    };
    all_done([("accounts", thawed(accounts)), ("payments", thawed(payments))])
}

/// Gives the freeze to all compartments at once: each may wait a second for an instance that just fell
/// silent. `keys` alone knows which callers there are, so it is asked first, and a name that it does not
/// know changes nothing anywhere. The others are asked even if one fails, and without waiting for a
/// `keys` that does not answer.
async fn freeze_everywhere(app: &App, call: &FreezeCaller) -> Result<(), Problem> {
    let FreezeCaller { caller, incident, reason, .. } = call.clone();
    let Compartments { keys, accounts, payments } = &app.compartments;
    let check = CheckCaller { caller: caller.clone() };
    if let Ok(Err(e)) = timeout(CHECK_WITHIN, keys.call(&check)).await
        && e.is(NO_SUCH_CALLER)
    {
        return Err(e.into());
    }
    let order = keys_api::FreezeCaller { caller, incident: incident.0, reason };
    let elsewhere = order_elsewhere(call);
    let (keys, accounts, payments) =
        tokio::join!(keys.call(&order), accounts.call(&elsewhere), payments.call(&elsewhere));
    all_done([("keys", keys.map(|_| ())), ("accounts", accounts), ("payments", payments)])
}

fn order_elsewhere(call: &FreezeCaller) -> cofferdam_core::FreezeCaller {
    let FreezeCaller { incident, caller, frozen, reason, .. } = call.clone();
    cofferdam_core::FreezeCaller { caller, frozen, incident: Some(incident.0), reason }
}

/// Names the compartments that failed.
fn all_done<const N: usize>(
    answers: [(&'static str, Result<(), CallError>); N],
) -> Result<(), Problem> {
    let failed: Vec<_> = answers
        .into_iter()
        .filter_map(|(compartment, answer)| Some(format!("{compartment} ({})", answer.err()?)))
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    let what = format!("not done in {}; done elsewhere", failed.join(", "));
    Err(Problem::new(PARTLY_DONE, what))
}

fn incidents_text(incidents: &BTreeSet<IncidentId>) -> String {
    let numbers: Vec<_> = incidents.iter().map(|of| format!("incident {of}")).collect();
    numbers.join(" and ")
}
