//! `POST /v1/passkeys/add`: a customer who is signed in at the caller adds a passkey.

use std::sync::Arc;

use accounts_api::{AddPasskey, PASSKEY_TAKEN};
use axum::extract::State;
use cofferdam_core::CallerName;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::PasskeyEnrolment;

use crate::app::App;
use crate::session::{live_session, no_session, presence};
use crate::store::{KnownPasskey, is_passkey_taken};

/// The lengths that a passkey's name may have. A shorter one than 16 bytes could be guessed.
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=1_023;

/// Adds a passkey, once `keys` certified it.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<AddPasskey>,
) -> Result<Answer<()>, Problem> {
    add(&app, &caller, call).await?;
    Ok(Answer((), encoding))
}

async fn add(app: &App, caller: &CallerName, call: AddPasskey) -> Result<(), Problem> {
    let AddPasskey { session: token, credential_id, passkey } = call;
    if !LENGTHS.contains(&credential_id.0.len()) {
        return Err(Problem::bad_request("a passkey's name has 16 to 1,023 bytes"));
    }
    let session = live_session(app, caller, &token).await?;
    let record = session.record;
    // A session from before tickets proves nothing to `keys`.
    let presence = presence(session, &token).ok_or_else(no_session)?;
    let on = PasskeyEnrolment::Present { presence };
    // `keys` set the instant: a void order that comes from now on covers this passkey.
    let passkey = app.vault.enrol_passkey(caller, on, record, passkey).await?;
    match app.store.insert_passkey(&credential_id, &KnownPasskey { record, passkey }).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(no_session()),
        Err(e) if is_passkey_taken(&e) => {
            Err(Problem::new(PASSKEY_TAKEN, "the browser can make another one"))
        }
        Err(e) => Err(e.into()),
    }
}
