//! `POST /v1/changes/read`: the customers that were written, changed or erased.

use std::sync::Arc;

use accounts_api::{Changes, ReadChanges};
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;

/// Reads the changes after a number.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ReadChanges>,
) -> Result<Answer<Changes>, Problem> {
    app.check_controller(&caller)?;
    Ok(Answer(app.store.changes(call.after).await?, encoding))
}
