//! `POST /v1/budgets/lower`: a caller's budget is lowered below the policy's, or restored.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{Event, LowerBudget};

use crate::app::App;
use crate::domain::access::BadLowering;
use crate::store;

/// Lowers a budget. The change is logged first, so that no budget is lower without a trace.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<LowerBudget>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "lowering a budget").await?;
    let LowerBudget { caller, operation, budget, reason } = call;
    app.check_known(&caller)?;
    app.shared.access().check_lowering(&caller, operation, budget).map_err(|e| problem(&e))?;
    let reason = reason.into();
    let event = Event::BudgetLowered { caller: caller.clone(), operation, budget, by, reason };
    app.write(app.now().await, vec![event]).await?;
    store::set_lowered(&app.db, &caller, operation, budget.as_ref()).await?;
    app.apply_change().await?;
    Ok(Answer((), encoding))
}

fn problem(error: &BadLowering) -> Problem {
    match error {
        BadLowering::NoBudget { .. } => Problem::not_found(error.to_string()),
        BadLowering::Raised => Problem::bad_request(error.to_string()),
    }
}
