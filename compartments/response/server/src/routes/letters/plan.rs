//! `POST /v1/letters/plan`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{LetterPlan, PlanLetter};

use crate::acts::letters;
use crate::app::App;
use crate::staff::Staff;

/// Plans a letter, or returns the progress of planning.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<PlanLetter>,
) -> Result<Answer<LetterPlan>, Problem> {
    app.open_incident(call.incident).await?;
    app.exposure(call.incident).await?;
    let plan = letters::plan(&app, call.incident, call.audience, &by).await?;
    Ok(Answer(plan, encoding))
}
