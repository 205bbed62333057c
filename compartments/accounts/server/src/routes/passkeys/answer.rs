//! `POST /v1/passkeys/answer`: checks what a passkey signed and opens a session at the caller.

use std::sync::Arc;

use accounts_api::{AnswerPasskey, Session};
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;
use crate::passkey::verify;
use crate::session::{new_session, open_session};

/// Opens the session of a token, if the passkey signed the challenge that came with it and is not void.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<AnswerPasskey>,
) -> Result<Answer<Session>, Problem> {
    let AnswerPasskey { token, credential_id, assertion } = call;
    let session = new_session(&app, &token);
    let verified = verify(&app, &caller, &credential_id, assertion, session).await?;
    Ok(Answer(open_session(&app, caller, verified, token).await?, encoding))
}
