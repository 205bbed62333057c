//! `POST /v1/callers/check`: whether there is a caller of a name.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::CheckCaller;

use crate::app::App;

/// Checks that the caller is known.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(CheckCaller { caller }, encoding): Body<CheckCaller>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "checking a caller").await?;
    app.catch_up().await?;
    app.check_known(&caller)?;
    Ok(Answer((), encoding))
}
