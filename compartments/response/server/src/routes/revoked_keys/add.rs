//! `POST /v1/revoked-keys/add`

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::AddRevokedKey;

use crate::acts::freeze;
use crate::app::App;
use crate::staff::Staff;

/// Revokes the key of a caller's certificate.
pub async fn handle(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<AddRevokedKey>,
) -> Result<Answer<()>, Problem> {
    Ok(Answer(freeze::revoke_key(&app, call, &by).await?, encoding))
}
