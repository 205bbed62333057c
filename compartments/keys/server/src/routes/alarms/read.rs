//! `POST /v1/alarms/read`: alarms, oldest first.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{Alarm, ReadAlarms};

use crate::app::App;
use crate::store;

/// Reads the alarms after a sequence number.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<ReadAlarms>,
) -> Result<Answer<Vec<Alarm>>, Problem> {
    app.check_controller(&by, "reading alarms").await?;
    Ok(Answer(store::read_alarms(&app.db, call.after).await?, encoding))
}
