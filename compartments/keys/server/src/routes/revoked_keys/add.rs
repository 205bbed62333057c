//! `POST /v1/revoked-keys/add`: the key of a certificate is revoked.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{AddRevokedKey, Event};

use crate::app::App;
use crate::store;

/// Revokes a key. The change is logged first, so that an older database revokes it again.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<AddRevokedKey>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "revoking a key").await?;
    let AddRevokedKey { caller, key, reason } = call;
    let event = Event::KeyRevoked { caller: caller.clone(), key: key.0, by, reason: reason.into() };
    app.write(app.now().await, vec![event]).await?;
    store::revoke_key(&app.db, key, &caller).await?;
    app.apply_change().await?;
    Ok(Answer((), encoding))
}
