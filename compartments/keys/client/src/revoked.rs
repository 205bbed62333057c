//! Following the revoked keys of certificates, which `keys` lists.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use cofferdam_core::Sha256;
use cofferdam_wire::{Client, RevokedKeys};
use keys_api::ListRevokedKeys;

/// The time between two looks: a revoked key is refused within a second.
const EVERY: Duration = Duration::from_millis(500);

/// Keeps revoked keys on disk, so that a compartment refuses them after a restart too, even while
/// `keys` does not answer.
pub trait KeepRevoked: Send + Sync + 'static {
    /// The error of the storage.
    type Error: Error + Send;

    /// Keeps keys. Some may be kept already.
    fn keep_revoked(&self, keys: &[Sha256])
    -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Adds the revoked keys of `keys` to `revoked`, for as long as the future is polled.
pub async fn follow_revoked(keys: Client, revoked: RevokedKeys, kept: impl KeepRevoked) {
    let mut unkept = Vec::new();
    loop {
        // A compartment without `keys` goes on with the keys that it knows. The calls that need
        // `keys` report the failure.
        if let Ok(listed) = keys.call(&ListRevokedKeys {}).await {
            unkept.extend(revoked.add(listed.into_iter().map(|of| of.key)));
        }
        if !unkept.is_empty() {
            match kept.keep_revoked(&unkept).await {
                Ok(()) => unkept.clear(),
                Err(e) => tracing::error!(cause = %e, "revoked keys can't be kept on disk"),
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}
