//! `POST /v1/letters/plan`: a ledger row for every person.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{LetterPlan, PlanLetter};

use crate::app::App;
use crate::jobs;
use crate::staff::Staff;

/// Plans a letter, or takes the one that is there.
pub async fn plan(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<PlanLetter>,
) -> Result<Answer<LetterPlan>, Problem> {
    app.incident(call.incident).await?;
    app.exposure(call.incident).await?;
    let plan = jobs::plan(&app, call.incident, call.audience).await?;
    if plan.planned {
        let of = format!("letter {} to {:?}", plan.letter, call.audience);
        let detail = format!("{of}: {} people", plan.people);
        app.journal(call.incident, &by, "letters.plan", &detail).await?;
    }
    Ok(Answer(plan, encoding))
}
