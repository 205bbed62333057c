//! `POST /v1/budgets/lower`: a caller's budget is lowered below the policy's.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{Event, LowerBudget, LoweringId};

use crate::app::App;
use crate::domain::access::BadLowering;
use crate::domain::lowerings;
use crate::store;

/// Lowers a budget. The change is logged first, so that no budget is lower without a trace.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<LowerBudget>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "lowering a budget").await?;
    app.catch_up().await?;
    let LowerBudget { caller, operation, budget, reason } = call;
    app.check_known(&caller)?;
    let access = app.shared.access();
    access.check_lowering(&caller, operation, budget).map_err(|e| problem(&e))?;
    let open = access.lowered.of(&caller).into_iter().filter(|of| of.operation == operation);
    let replaces: Vec<_> = open.map(|of| of.lowering).collect();
    let (of, replaced, reason) = (caller.clone(), replaces.clone(), reason.into());
    let lowering = LoweringId::random(app.rng.as_ref());
    let event =
        Event::Lowered { caller: of, operation, lowering, budget, replaces: replaced, by, reason };
    app.write(app.now().await, vec![event]).await?;
    let lowered = (lowering, lowerings::State::Open(budget));
    store::lower_budget(&app.db, (&caller, operation), lowered, &replaces).await?;
    app.apply_change().await?;
    Ok(Answer((), encoding))
}

fn problem(error: &BadLowering) -> Problem {
    match error {
        BadLowering::NoBudget { .. } => Problem::not_found(error.to_string()),
        BadLowering::Raised => Problem::bad_request(error.to_string()),
    }
}
