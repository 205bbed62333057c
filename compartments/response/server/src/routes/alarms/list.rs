//! `POST /v1/alarms/list`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::Timestamp;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{Alarm, ListAlarms};

use crate::app::App;
use crate::staff::Staff;

/// Lists the alarms that changed after a sequence number.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(_): Staff,
    Body(call, encoding): Body<ListAlarms>,
) -> Result<Answer<Vec<Alarm>>, Problem> {
    Ok(Answer(app.store.alarms(call.after, Timestamp::MIN).await?, encoding))
}
