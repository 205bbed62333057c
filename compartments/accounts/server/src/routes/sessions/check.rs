//! `POST /v1/sessions/check`: the customer of a session token, at the caller that opened the
//! session.

use std::sync::Arc;

use accounts_api::CheckSession;
use axum::extract::State;
use cofferdam_core::{CallerName, CustomerNumber, Personal};
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;
use crate::domain::token;
use crate::store::KeptSession;

/// Checks a session token.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<CheckSession>,
) -> Result<Answer<CustomerNumber>, Problem> {
    let session = live_session(&app, &caller, &call.token).await?;
    Ok(Answer(app.customer_numbers.number(session.record), encoding))
}

/// The session with this token, as long as it is good for this caller. The refusal gives no reason,
/// so that a caller learns nothing about another caller's sessions.
pub async fn live_session(
    app: &App,
    caller: &CallerName,
    token: &Personal,
) -> Result<KeptSession, Problem> {
    let found = app.store.session(&token::session_hash(token)).await?;
    let orders = app.orders()?;
    let now = app.now();
    found
        .filter(|s| s.caller == *caller && now < s.expires && !orders.revokes(s.record, s.opened))
        .ok_or_else(|| Problem::new(accounts_api::NO_SESSION, "sign in at this caller"))
}
