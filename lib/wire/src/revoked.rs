//! Revoked keys of certificates.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use cofferdam_core::Sha256;

/// The keys of certificates that nobody may use any more, by the SHA-256 of the public key (its
/// `SubjectPublicKeyInfo`). The list only grows. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct RevokedKeys(Arc<RwLock<HashSet<Sha256>>>);

impl RevokedKeys {
    /// A list of these keys.
    #[must_use]
    pub fn of(keys: impl IntoIterator<Item = Sha256>) -> Self {
        Self(Arc::new(RwLock::new(keys.into_iter().collect())))
    }

    /// Whether a key was revoked.
    #[must_use]
    pub fn contains(&self, key: &Sha256) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(key)
    }

    /// The number of revoked keys.
    pub(crate) fn count(&self) -> u64 {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    /// Adds keys. From now on no request under them is answered. Returns those that are new.
    pub fn add(&self, keys: impl IntoIterator<Item = Sha256>) -> Vec<Sha256> {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        keys.into_iter().filter(|key| all.insert(*key)).collect()
    }
}
