//! `POST /v1/contain/budget`: a caller may take less, or as much as the policy says again.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use keys_api::Budget;
use response_api::LowerBudget;

use crate::app::App;
use crate::staff::Staff;

/// Lowers a budget in `keys`.
pub async fn lower(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<LowerBudget>,
) -> Result<Answer<()>, Problem> {
    app.incident(call.incident).await?;
    let LowerBudget { incident, caller, operation, budget, reason } = call;
    let budget: Option<Budget> = budget
        .map(serde_json::from_value)
        .transpose()
        .map_err(|e| Problem::bad_request(format!("not a budget: {e}")))?;
    let what = match budget {
        Some(Budget { minute, hour, day, burst }) => {
            format!("{minute} a minute, {hour} an hour, {day} a day, {burst} in bursts")
        }
        None => "as the policy says".to_owned(),
    };
    let detail = format!("{caller} {operation}: {what}: {reason}");
    app.journal(incident, &by, "budget", &detail).await?;
    app.keys.call(&keys_api::LowerBudget { caller, operation, budget, reason }).await?;
    Ok(Answer((), encoding))
}
