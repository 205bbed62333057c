//! `POST /v1/sessions/check`: the customer of a session token, at a caller of the group that opened the
//! session.

use std::sync::Arc;

use accounts_api::CheckSession;
use axum::extract::State;
use cofferdam_core::CustomerNumber;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;
use crate::session::live_session;

/// Checks a session token.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<CheckSession>,
) -> Result<Answer<CustomerNumber>, Problem> {
    let session = live_session(&app, &caller, &call.token).await?;
    Ok(Answer(app.customer_numbers.number(session.record), encoding))
}
