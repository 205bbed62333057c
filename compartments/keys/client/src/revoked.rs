//! Following the revoked keys of certificates, which `keys` lists.

use std::time::Duration;

use cofferdam_store::Db;
use cofferdam_wire::{Client, RevokedKeys};
use keys_api::ListRevokedKeys;

/// The time between two looks: a revoked key is refused within a second.
const EVERY: Duration = Duration::from_millis(500);

/// Adds the revoked keys of `keys` to `revoked`, for as long as the future is polled. Keeps them in
/// `db`, so that the compartment refuses them after a restart too, even while `keys` does not
/// answer.
pub async fn follow_revoked(keys: Client, revoked: RevokedKeys, db: Db) {
    let mut unkept = Vec::new();
    loop {
        // A compartment without `keys` goes on with the keys that it knows. The calls that need
        // `keys` report the failure.
        if let Ok(listed) = keys.call(&ListRevokedKeys {}).await {
            unkept.extend(revoked.add(listed.into_iter().map(|of| of.key)));
        }
        if !unkept.is_empty() {
            match db.keep_revoked(&unkept).await {
                Ok(()) => unkept.clear(),
                Err(e) => tracing::error!(cause = %e, "revoked keys can't be kept on disk"),
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}
