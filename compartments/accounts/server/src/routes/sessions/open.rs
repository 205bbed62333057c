//! `POST /v1/sessions/open`: checks a password and opens a session at the caller.

use std::sync::Arc;

use accounts_api::{OpenSession, Session};
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;
use crate::domain::token;
use crate::session::{new_session, open_session};
use crate::sign_in::verify;

/// Opens a session, if the password is right and not void.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<OpenSession>,
) -> Result<Answer<Session>, Problem> {
    let token = token::session_token(&*app.rng);
    let session = Some(new_session(&app, &token));
    let verified = verify(&app, &caller, &call.email, &call.password, session).await?;
    Ok(Answer(open_session(&app, caller, verified, token).await?, encoding))
}
