//! `POST /v1/revoked-keys/list`: the revoked keys, for compartments, which refuse them too.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{ListRevokedKeys, RevokedKey};

use crate::app::App;

/// Lists the revoked keys.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(ListRevokedKeys {}, encoding): Body<ListRevokedKeys>,
) -> Result<Answer<Vec<RevokedKey>>, Problem> {
    app.check_role(&by, "the list of revoked keys").await?;
    app.shared.check_newest()?;
    let revoked = app.shared.revoked();
    let listed =
        revoked.iter().map(|(key, caller)| RevokedKey { caller: caller.clone(), key: *key });
    Ok(Answer(listed.collect(), encoding))
}
