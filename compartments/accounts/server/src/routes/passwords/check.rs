//! `POST /v1/passwords/check`: checks a password without opening a session.

use std::sync::Arc;

use accounts_api::CheckPassword;
use axum::extract::State;
use cofferdam_core::CustomerNumber;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;
use crate::sign_in::verify;

/// Checks a password within the caller's grant.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<CheckPassword>,
) -> Result<Answer<CustomerNumber>, Problem> {
    let verified = verify(&app, &caller, &call.email, &call.password, None).await?;
    Ok(Answer(app.customer_numbers.number(verified.record), encoding))
}
