//! Containing an incident: voiding credentials, lowering budgets.

use std::fmt;
use std::sync::Arc;

use accounts_api::{VoidCredentials, VoidOutcome, VoidWhose};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::Timestamp;
use cofferdam_wire::Problem;
use keys_api::{Budget, RestoreBudget, RestoreOrder, Signed, VoidOrder};
use response_api::{ActStage, Incident, IncidentId, JournalAct, LowerBudget, People, Voided};
use roaring::RoaringBitmap;

use crate::app::App;
use crate::staff::Author;
use crate::store::{Act, Finding, VoidedSome, bitmap_bytes};

/// Lowers a caller's budget at `keys`, or hands it the order that gives the budget back.
pub async fn lower_budget(app: &Arc<App>, call: LowerBudget, by: &Author) -> Result<(), Problem> {
    let change = BudgetChange::read(&call)?;
    let LowerBudget { incident, caller, operation, reason, .. } = call;
    let detail = format!("{caller} {operation}: {change}: {reason}");
    let act = app.act(incident, by, JournalAct::LowerBudget, detail);
    let worker = app.clone();
    app.journalled(act, async move {
        let keys = &worker.compartments.keys;
        match change {
            BudgetChange::Lower(budget) => {
                keys.call(&keys_api::LowerBudget { caller, operation, budget, reason }).await?;
            }
            BudgetChange::Restore(order) => keys.call(&RestoreBudget { order }).await?,
        }
        Ok(())
    })
    .await
}

/// A change of a caller's budget.
enum BudgetChange {
    Lower(Budget),
    Restore(Signed<RestoreOrder>),
}

impl BudgetChange {
    fn read(call: &LowerBudget) -> Result<Self, Problem> {
        let bad = |what: String| Problem::bad_request(what);
        match (&call.budget, &call.order) {
            (Some(budget), None) => {
                let budget = serde_json::from_value(budget.clone());
                Ok(Self::Lower(budget.map_err(|e| bad(format!("budget: {e}")))?))
            }
            (None, Some(order)) => {
                let order: Result<Signed<RestoreOrder>, _> = serde_json::from_value(order.clone());
                let order = order.map_err(|e| bad(format!("order: not one to give back: {e}")))?;
                if (&order.order.caller, order.order.operation) != (&call.caller, call.operation) {
                    return Err(bad("order: another budget was signed".to_owned()));
                }
                Ok(Self::Restore(order))
            }
            (None, None) => {
                Err(bad("order: to give a budget back takes an order that an approver signed"
                    .to_owned()))
            }
            (Some(_), Some(_)) => Err(bad("order: to lower a budget takes none".to_owned())),
        }
    }
}

impl fmt::Display for BudgetChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lower(Budget { minute, hour, day, burst }) => {
                write!(f, "{minute} a minute, {hour} an hour, {day} a day, {burst} in bursts")
            }
            Self::Restore(_) => f.write_str("as the policy says"),
        }
    }
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
    let glass = glass_text(&signed.order);
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
    let VoidOutcome { order, customers, sessions, left_out, created_since, seconds } = *outcome;
    let set_before = Some(set_before);
    Voided { order, set_before, customers, sessions, left_out, created_since, seconds }
}

/// The customers of a void order over some, and their description for the journal.
pub struct Group {
    /// The customers.
    pub records: RoaringBitmap,
    /// The description, without personal data.
    pub name: &'static str,
}

/// The customers with a field read or presented, by the exposure that was computed last.
pub async fn exposed_customers(app: &App, incident: &Incident) -> Result<RoaringBitmap, Problem> {
    if incident.people == People::Table {
        let what =
            "the exposed people are those of the brought table, who have no credentials here";
        return Err(Problem::bad_request(what));
    }
    let exposure = app.exposure(incident.incident).await?;
    Ok(app.levels(&exposure).await?.affected())
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
    give_some(app, order, roaring, act).await
}

/// Voids the credentials of a set of customers, however many, by an order that people signed.
pub async fn void_set(
    app: &Arc<App>,
    signed: Signed<VoidOrder>,
    roaring: Vec<u8>,
    by: &Author,
) -> Result<Voided, Problem> {
    let (incident, set_before) = (IncidentId(signed.order.incident), signed.order.set_before);
    let count = signed.order.customers.map_or(0, |set| set.count);
    let glass = glass_text(&signed.order);
    let detail =
        format!("credentials set up to {set_before} and sessions of {count} customers{glass}");
    let order = serde_json::to_string(&signed).map_err(|e| Problem::internal(&e))?;
    let whose = VoidWhose::Set { order, roaring: roaring.clone() };
    let order = VoidCredentials { incident: incident.0, set_before, whose };
    let act = app.act(incident, by, JournalAct::VoidSome, detail);
    give_some(app, order, roaring, act).await
}

/// Hands an order over some customers to `accounts`, and keeps whom it covered.
async fn give_some(
    app: &Arc<App>,
    order: VoidCredentials,
    roaring: Vec<u8>,
    act: Act,
) -> Result<Voided, Problem> {
    let (worker, done) = (app.clone(), act.clone());
    let (incident, set_before) = (act.incident, order.set_before);
    app.intended(act, async move {
        let outcome = worker.compartments.accounts.call(&order).await?;
        let _one_at_a_time = worker.voiding.lock().await;
        let before = worker.store.finding::<Vec<VoidedSome>>(incident, Finding::VoidedSome).await?;
        let mut all = before.unwrap_or_default();
        // If somebody was left out, a letter may not say that this order covers them.
        if outcome.left_out == 0 && outcome.created_since == 0 {
            all.push(VoidedSome { set_before, roaring: STANDARD.encode(roaring) });
        }
        let done = worker.at_stage(&done, ActStage::Done);
        worker.store.set_finding(Finding::VoidedSome, &all, &done).await?;
        Ok(voided(&outcome, set_before))
    })
    .await
}

fn glass_text(order: &VoidOrder) -> String {
    let glass = order.break_glass.as_ref();
    glass.map_or_else(String::new, |reason| format!("; glass broken: {reason}"))
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
            created_since: 0,
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
