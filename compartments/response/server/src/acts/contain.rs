//! Containing an incident: freezing callers, voiding credentials, lowering budgets.

use std::sync::Arc;

use accounts_api::{VoidCredentials, VoidOutcome, VoidWhose};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{NO_SUCH_CALLER, Timestamp};
use cofferdam_wire::Problem;
use keys_api::{Budget, ListRevokedKeys, Signed, VoidOrder};
use response_api::{
    ActStage, AddRevokedKey, CallerHolds, FreezeCaller, HELD_ELSEWHERE, IncidentId, JournalAct,
    KEY_IN_FORCE, LowerBudget, PARTLY_DONE, ThawedKey, Voided,
};
use roaring::RoaringBitmap;

use super::claims::hold_to_claims;
use crate::app::{App, Compartments};
use crate::staff::Author;
use crate::store::{Finding, Hold, VoidedSome, bitmap_bytes};

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
    if !call.frozen {
        check_held(app, &call).await?;
    }
    app.intended(act, async move {
        let _one_at_a_time = turn;
        let hold = Hold { incident: call.incident, caller: &call.caller };
        if !call.frozen {
            // From here on no letter says that the server is shut off, even if the thaw fails.
            worker.store.release(hold).await?;
        }
        let others = worker.store.holders(&call.caller).await?;
        if call.frozen || others.is_empty() {
            give_everywhere(&worker, &call).await?;
        }
        let done = worker.at_stage(&done, ActStage::Done);
        if call.frozen {
            worker.store.hold(hold, &done).await?;
        } else {
            worker.store.journal(&done).await?;
            // A letter that says that the caller is shut off stops before the thaw is answered.
            if let Err(problem) = hold_to_claims(&worker).await {
                tracing::warn!(%problem, "the claims of letters could not be checked after a thaw");
            }
        }
        let held_by = worker.store.holders(&call.caller).await?;
        Ok(CallerHolds { frozen: call.frozen || !held_by.is_empty(), held_by })
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
        worker.compartments.keys.call(&call).await?;
        worker.revoked.add([call.key]);
        Ok(())
    })
    .await
}

/// Refuses a thaw for an incident that does not hold the caller while another one does.
async fn check_held(app: &App, call: &FreezeCaller) -> Result<(), Problem> {
    let holders = app.store.holders(&call.caller).await?;
    if holders.is_empty() || holders.contains(&call.incident) {
        return Ok(());
    }
    let FreezeCaller { caller, incident, .. } = call;
    let others = incidents_text(&holders);
    let what = format!("{caller} is not frozen for incident {incident}; it is for {others}");
    Err(Problem::new(HELD_ELSEWHERE, what))
}

fn incidents_text(incidents: &[IncidentId]) -> String {
    let numbers: Vec<_> = incidents.iter().map(|of| format!("incident {of}")).collect();
    numbers.join(" and ")
}

/// Has every compartment freeze or thaw the caller. `keys` alone knows which callers there are, so
/// it is asked first, and a name that it does not know changes nothing anywhere. The others are
/// asked even if one fails, and without waiting for a `keys` that does not answer.
async fn give_everywhere(app: &App, call: &FreezeCaller) -> Result<(), Problem> {
    let FreezeCaller { caller, frozen, reason, .. } = call.clone();
    let order = cofferdam_core::FreezeCaller { caller, frozen, reason };
    let Compartments { keys, accounts, payments } = &app.compartments;
    let first = if keys.is_healthy().await {
        match keys.call(&order).await {
            Err(e) if e.is(NO_SUCH_CALLER) => return Err(e.into()),
            answer => Some(answer),
        }
    } else {
        None
    };
    let at_keys = async {
        match first {
            Some(answer) => answer,
            None => keys.call(&order).await,
        }
    };
    let (keys, accounts, payments) =
        tokio::join!(at_keys, accounts.call(&order), payments.call(&order));
    let failed: Vec<_> = [("keys", keys), ("accounts", accounts), ("payments", payments)]
        .into_iter()
        .filter_map(|(compartment, answer)| Some(format!("{compartment} ({})", answer.err()?)))
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    let what = format!("not done in {}; done elsewhere", failed.join(", "));
    Err(Problem::new(PARTLY_DONE, what))
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

/// Voids everybody's credentials and ends all sessions, by an order that people signed. `accounts`
/// knows an order that it has carried out, and gives its first answer again; any other order is
/// carried out.
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
    let (worker, done) = (app.clone(), act.clone());
    app.intended(act, async move {
        let outcome = worker.compartments.accounts.call(&order).await?;
        let voided = voided(&outcome, set_before);
        let before = worker.store.finding::<Voided>(incident, Finding::Voided).await?;
        let kept = widest(before, voided.clone());
        let done = worker.at_stage(&done, ActStage::Done);
        worker.store.set_finding(Finding::Voided, &kept, &done).await?;
        Ok(voided)
    })
    .await
}

/// The order that covers the other one: the one up to the later instant. An order from before
/// instants were kept was up to the instant of the order.
fn widest(before: Option<Voided>, new: Voided) -> Voided {
    match before {
        Some(before) if before.set_before.is_none_or(|of| Some(of) > new.set_before) => before,
        _ => new,
    }
}

fn voided(outcome: &VoidOutcome, set_before: Timestamp) -> Voided {
    let VoidOutcome { order, customers, sessions, left_out, seconds } = *outcome;
    Voided { order, set_before: Some(set_before), customers, sessions, left_out, seconds }
}

/// The customers of a void order over some, and their description for the journal.
pub struct Group {
    /// The customers.
    pub records: RoaringBitmap,
    /// The description, without personal data.
    pub name: &'static str,
}

/// Voids the credentials of some customers, and ends their sessions. Customers who set their password
/// since an earlier order of the incident are left out, unless staff give an instant.
pub async fn void_some(
    app: &Arc<App>,
    incident: IncidentId,
    Group { records, name }: Group,
    set_before: Option<Timestamp>,
    by: &Author,
) -> Result<Voided, Problem> {
    if records.is_empty() {
        return Err(Problem::bad_request("the order covers no customer"));
    }
    let up_to = set_before.map_or_else(String::new, |instant| format!(", set up to {instant}"));
    let detail = format!("credentials and sessions of {name}: {} customers{up_to}", records.len());
    let (again, set_before) = (set_before.is_some(), set_before.unwrap_or_else(|| app.now()));
    let roaring = bitmap_bytes(&records)?;
    let whose = VoidWhose::Only { roaring: roaring.clone(), again };
    let order = VoidCredentials { incident: incident.0, set_before, whose };
    let act = app.act(incident, by, JournalAct::VoidSome, detail);
    let (worker, done) = (app.clone(), act.clone());
    app.intended(act, async move {
        let outcome = worker.compartments.accounts.call(&order).await?;
        let _one_at_a_time = worker.voiding.lock().await;
        let before = worker.store.finding::<Vec<VoidedSome>>(incident, Finding::VoidedSome).await?;
        let mut all = before.unwrap_or_default();
        // If somebody was left out, a letter may not say that this order covers them.
        if outcome.left_out == 0 {
            all.push(VoidedSome { set_before, roaring: STANDARD.encode(roaring) });
        }
        let done = worker.at_stage(&done, ActStage::Done);
        worker.store.set_finding(Finding::VoidedSome, &all, &done).await?;
        Ok(voided(&outcome, set_before))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_up_to_the_later_instant_is_kept() {
        let at = |order, instant: Option<&str>| Voided {
            order,
            set_before: instant.map(|text| text.parse().unwrap()),
            customers: 1,
            sessions: 1,
            left_out: 0,
            seconds: 0.1,
        };
        let (early, late) = (Some("2001-01-01T00:00:00Z"), Some("2012-01-15T08:00:00Z"));
        for (before, new, kept) in [
            (None, at(2, early), 2),
            (Some(at(1, early)), at(2, late), 2),
            (Some(at(1, late)), at(2, late), 2),
            (Some(at(1, late)), at(2, early), 1),
            (Some(at(1, None)), at(2, late), 1),
        ] {
            assert_eq!(widest(before.clone(), new.clone()).order, kept, "{before:?} {new:?}");
        }
    }
}
