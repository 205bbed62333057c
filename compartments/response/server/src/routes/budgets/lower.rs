//! `POST /v1/budgets/lower`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::LowerBudget;

use crate::acts::contain;
use crate::app::App;
use crate::staff::Staff;

/// Lowers a caller's budget, or gives it back. Giving back works after the incident was closed too.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<LowerBudget>,
) -> Result<Answer<()>, Problem> {
    if call.budget.is_some() {
        app.open_incident(call.incident).await?;
    } else {
        app.incident(call.incident).await?;
    }
    Ok(Answer(contain::lower_budget(&app, call, &by).await?, encoding))
}
