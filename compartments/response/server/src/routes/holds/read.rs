//! `POST /v1/holds/read`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{CallerHold, IncidentId, ReadHolds};

use crate::app::App;
use crate::staff::Staff;

/// Reads the holds on a caller from `keys`.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(ReadHolds { caller }, encoding): Body<ReadHolds>,
) -> Result<Answer<Vec<CallerHold>>, Problem> {
    let holds = app.compartments.keys.call(&keys_api::ReadHolds { caller }).await?;
    let own =
        |of: &keys_api::Hold| CallerHold { incident: IncidentId(of.incident), hold: of.hold.0 };
    Ok(Answer(holds.iter().map(own).collect(), encoding))
}
