//! `POST /v1/sessions/close`: ends a session, at the caller that opened it.

use std::sync::Arc;

use accounts_api::CloseSession;
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;
use crate::domain::token;
use crate::session::live_session;

/// Ends a session of this caller.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<CloseSession>,
) -> Result<Answer<()>, Problem> {
    live_session(&app, &caller, &call.token).await?;
    app.store.end_session(&token::session_hash(&call.token), app.now()).await?;
    Ok(Answer((), encoding))
}
