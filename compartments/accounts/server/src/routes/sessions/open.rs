//! `POST /v1/sessions/open`: checks a password and opens a session at the caller.

use std::sync::Arc;

use accounts_api::{OpenSession, Session};
use axum::extract::State;
use cofferdam_core::{CallerName, Personal, Sha256, Timestamp};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use jiff::SignedDuration;
use keys_api::NewSession;

use crate::app::App;
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
    let token = token::session_token(&*app.rng);
    let secret = Sha256::of(token::presence_secret(&token).expose());
    let until = app.now().saturating_add(LIFETIME).unwrap_or(Timestamp::MAX);
    let session = Some(NewSession { secret, until });
    let verified = verify(&app, &caller, &call.email, &call.password, session).await?;
    let record = app.customer_numbers.number(verified.record);
    let expires = keep(&app, caller, verified, &token).await?;
    Ok(Answer(Session { record, token, expires }, encoding))
}

/// Stores the session unless an order arrived since the password was checked. The session is stored
/// only while the orders that it was held against are the newest, so the next revocation ends it too.
async fn keep(
    app: &App,
    caller: CallerName,
    verified: Verified,
    token: &Personal,
) -> Result<Timestamp, Problem> {
    let mut orders = app.orders()?;
    let mut session = KeptSession {
        record: verified.record,
        group: app.groups.of(&caller),
        caller,
        ticket: verified.ticket,
        opened: Timestamp::MIN,
        expires: Timestamp::MIN,
    };
    loop {
        session.opened = app.now();
        session.expires = session.opened.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX);
        app.check_frozen(&session.caller)?;
        if orders.voids(verified.record, verified.set_at) {
            return Err(refusal());
        }
        let token = token::session_hash(token);
        if app.store.insert_session(&token, &session, orders.generation).await? {
            return Ok(session.expires);
        }
        orders = app.caught_up_orders().await?;
    }
}
