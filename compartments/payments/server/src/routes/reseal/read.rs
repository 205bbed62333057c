//! `POST /v1/reseal/read`: the progress of the move to a new epoch.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::Reseal;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use payments_api::ReadReseal;

use crate::app::App;

/// Reads the progress of re-sealing.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(_, encoding): Body<ReadReseal>,
) -> Result<Answer<Reseal>, Problem> {
    app.check_controller(&caller)?;
    Ok(Answer(app.reseal.borrow().clone(), encoding))
}
