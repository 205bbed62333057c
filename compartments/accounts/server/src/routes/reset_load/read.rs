//! `POST /v1/reset-load/read`: the load of this instance from sign-ins and resets.

use std::sync::Arc;

use accounts_api::{ReadResetLoad, ResetLoad};
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;

/// Reads the load of password hashes.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(_, encoding): Body<ReadResetLoad>,
) -> Result<Answer<ResetLoad>, Problem> {
    app.check_controller(&caller)?;
    Ok(Answer(ResetLoad { busy_percent: app.hasher.busy_percent() }, encoding))
}
