//! `POST /v1/callers/list`: what each caller may do, did lately, and could drain.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{Operation, Timestamp};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{CallerPolicy, CallerStatus, ListCallers};

use crate::app::App;
use crate::domain::access::Access;
use crate::store;

/// Lists the callers, by name.
pub async fn list(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(_, encoding): Body<ListCallers>,
) -> Result<Answer<Vec<CallerStatus>>, Problem> {
    app.check_controller(&by, "the list of callers").await?;
    let claims = store::highest_claims(&app.db).await?;
    let now = app.now().await;
    let access = app.access();
    let list = access.callers().map(|caller| status(&app, &access, caller, &claims, now)).collect();
    Ok(Answer(list, encoding))
}

fn status(
    app: &App,
    access: &Access,
    caller: &CallerPolicy,
    claims: &BTreeMap<String, u64>,
    now: Timestamp,
) -> CallerStatus {
    let last_hour =
        |operation: &Operation| (*operation, app.last_hour(&caller.name, *operation, now));
    let readable = caller.grants.iter().filter(|grant| grant.operation == Operation::Release);
    let domains: std::collections::BTreeSet<_> = readable.map(|grant| grant.domain).collect();
    let records = domains.iter().filter_map(|domain| claims.get(domain.as_str())).sum();
    // What holds now, which may be lower than the policy.
    let holds =
        |operation: &Operation| Some((*operation, access.budget(&caller.name, *operation)?));
    let budgets: BTreeMap<_, _> = caller.budgets.keys().filter_map(holds).collect();
    let release = budgets.get(&Operation::Release).filter(|_| !domains.is_empty());
    CallerStatus {
        caller: caller.name.clone(),
        frozen: app.is_frozen(&caller.name),
        grants: caller.grants.clone(),
        budgets: budgets.clone(),
        last_hour: caller.budgets.keys().map(last_hour).collect(),
        hours_to_drain: release.and_then(|budget| budget.hours_to_drain(records)),
    }
}
