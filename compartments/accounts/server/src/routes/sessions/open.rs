//! `POST /v1/sessions/open`: checks a password and opens a session at the caller.

use std::sync::Arc;

use accounts_api::{OpenSession, Session};
use axum::extract::State;
use cofferdam_core::{CallerName, Personal, Timestamp};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use jiff::SignedDuration;

use crate::app::{App, frozen};
use crate::domain::token;
use crate::sign_in::{Verified, refusal, verify};
use crate::store::KeptSession;

/// The time for which a session is good.
const LIFETIME: SignedDuration = SignedDuration::from_hours(12);

/// Opens a session, if the password is right and not void.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<OpenSession>,
) -> Result<Answer<Session>, Problem> {
    let verified = verify(&app, &caller, &call.email, &call.password).await?;
    let token = token::session_token(&*app.rng);
    let expires = keep(&app, caller, verified, &token).await?;
    let record = app.customer_numbers.number(verified.record);
    Ok(Answer(Session { record, token, expires }, encoding))
}

/// Stores the session unless an order arrived since the password was checked. No order takes effect
/// during this, so the next revocation ends this session too.
async fn keep(
    app: &App,
    caller: CallerName,
    verified: Verified,
    token: &Personal,
) -> Result<Timestamp, Problem> {
    let orders = app.orders.read().await;
    if orders.frozen.contains(&caller) {
        return Err(frozen(&caller));
    }
    if orders.voids(verified.record, verified.set_at) {
        return Err(refusal());
    }
    let opened = app.now();
    let expires = opened.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX);
    let session = KeptSession { record: verified.record, caller, opened, expires };
    app.store.insert_session(&token::session_hash(token), &session).await?;
    Ok(expires)
}
