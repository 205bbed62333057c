//! `POST /v1/roster/finish`: the roster is whole.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{FinishRoster, RosterCounts};

use crate::app::App;
use crate::staff::Staff;

/// Counts the roster.
pub async fn finish(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(_, encoding): Body<FinishRoster>,
) -> Result<Answer<RosterCounts>, Problem> {
    let people = app.count_roster().await?;
    let jurisdictions =
        people.jurisdictions.iter().map(|(name, of)| (name.clone(), of.len())).collect();
    Ok(Answer(RosterCounts { people: people.everyone.len(), jurisdictions }, encoding))
}
