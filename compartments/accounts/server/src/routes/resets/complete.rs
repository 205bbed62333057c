//! `POST /v1/resets/complete`: sets a new password with the code from the mail.

use std::sync::Arc;

use accounts_api::CompleteReset;
use axum::extract::State;
use cofferdam_core::{CallerName, CustomerNumber, Record};
use cofferdam_store::StoreError;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{EnrolItem, Enrolment, Verifier};
use keys_client::VaultError;

use crate::app::{App, bad_request};
use crate::at_rest;
use crate::domain::password::{self, Hashed};
use crate::domain::token::{self, TokenHash};
use crate::store::Credential;

/// Sets the new password, if the code is good.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<CompleteReset>,
) -> Result<Answer<CustomerNumber>, Problem> {
    password::check_new(&call.password).map_err(|e| bad_request(&e))?;
    let code = token::reset_hash(&call.code);
    let found = app.store.reset(&code, app.now()).await?;
    let record = found.ok_or_else(no_code)?;
    let Hashed { scheme, salt, hash } =
        app.hasher.hash_new(&caller, &call.password, &*app.rng).await?;
    // `keys` set the instant before the look at the orders: a void order that comes after the look covers
    // this password.
    let Verifier { bytes, set_at } = enrol(&app, &caller, EnrolItem { record, hash }).await?;
    app.check_frozen(&caller)?;
    app.vault.check_halves(app.store.db()).await?;
    let verifier = at_rest::rest_verifier(app.vault.halves(), record, &bytes)?;
    let credential = Credential { scheme, salt, verifier, set_at };
    let used = set(&app, &code, record, &credential).await?;
    if !used {
        return Err(no_code());
    }
    Ok(Answer(app.customer_numbers.number(record), encoding))
}

/// Has the verifier of the new password made, on the word that the code came back.
async fn enrol(app: &App, caller: &CallerName, item: EnrolItem) -> Result<Verifier, Problem> {
    let made = app.vault.enrol(caller, Enrolment::Reset, vec![item], EnrolItem::clone).await?;
    let (_, verifier) = made.into_iter().next().ok_or(VaultError::Mismatch)?;
    Ok(verifier)
}

/// Uses the code up, sets the password, and ends the customer's sessions and passkeys, all or nothing: a
/// thief may have added one of them. `false` if the code was used meanwhile.
async fn set(
    app: &App,
    code: &TokenHash,
    record: Record,
    credential: &Credential,
) -> Result<bool, StoreError> {
    let mut tx = app.store.begin().await?;
    if !app.store.use_reset(&mut tx, code, record).await? {
        return Ok(false);
    }
    app.store.set_credential(&mut tx, record, credential).await?;
    app.store.end_sessions_of(&mut tx, record, credential.set_at).await?;
    app.store.delete_passkeys_of(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

fn no_code() -> Problem {
    Problem::not_found("there is no such code: it was used, or is over 30 minutes old")
}
