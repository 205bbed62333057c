//! `POST /v1/passkeys/ask`: a challenge to the passkeys of whoever wants to sign in.

use std::sync::Arc;

use accounts_api::{AskPasskey, AskedPasskey};
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;
use crate::domain::token;
use crate::session::new_session;

/// Draws a token, and has `keys` make a challenge for its session. Nothing is stored: the token opens
/// nothing until the challenge is answered.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(AskPasskey {}, encoding): Body<AskPasskey>,
) -> Result<Answer<AskedPasskey>, Problem> {
    let token = token::session_token(&*app.rng);
    let session = new_session(&app, &token).secret;
    let challenge = app.vault.ask_passkey(&caller, session).await?;
    Ok(Answer(AskedPasskey { challenge, token }, encoding))
}
