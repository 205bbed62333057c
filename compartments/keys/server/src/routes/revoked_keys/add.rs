//! `POST /v1/revoked-keys/add`: the key of a certificate is revoked.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, CertificateChain, NO_NEWER_KEY};
use cofferdam_wire::{Answer, Body, Caller, Issued, Problem};
use keys_api::{AddRevokedKey, Event};

use crate::app::{App, bad_request};
use crate::store;

/// Revokes a key of the caller, as its certificate shows. The change is logged first, so that an older database revokes it again.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<AddRevokedKey>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "revoking a key").await?;
    let AddRevokedKey { caller, certificate, newer, reason } = call;
    let old = check_named(&app, &caller, &certificate)?;
    if app.is_compartment(&caller) {
        check_newer(&app, &old, newer.as_ref())?;
    }
    let key = old.key;
    let event = Event::KeyRevoked { caller: caller.clone(), key: key.0, by, reason: reason.into() };
    app.write(app.now().await, vec![event]).await?;
    store::revoke_key(&app.db, key, &caller).await?;
    app.apply_change().await?;
    Ok(Answer((), encoding))
}

/// Checks that the authority issued a certificate to the caller.
fn check_named(
    app: &App,
    caller: &CallerName,
    certificate: &CertificateChain,
) -> Result<Issued, Problem> {
    let issued = app.identity.check_issued(certificate).map_err(|e| bad_request(&e))?;
    if issued.caller != *caller {
        let what = format!("the certificate is one of {}, not of {caller}", issued.caller);
        return Err(Problem::bad_request(what));
    }
    Ok(issued)
}

/// Checks that a compartment has a newer certificate. Otherwise one person, or a fallen `response`,
/// could stop the estate for good.
fn check_newer(app: &App, old: &Issued, newer: Option<&CertificateChain>) -> Result<(), Problem> {
    let newer = newer.map(|newer| check_named(app, &old.caller, newer)).transpose()?;
    if newer.is_some_and(|newer| newer.since > old.since && newer.key != old.key) {
        return Ok(());
    }
    let what = format!("{} is a compartment: show the newer certificate that it has", old.caller);
    Err(Problem::new(NO_NEWER_KEY, what))
}
