//! Runs password hashes off the request threads, no more at once than there are cores.

use std::sync::Arc;

use cofferdam_core::{KeyBytes, Personal, Rng};
use cofferdam_wire::{Problem, ProblemKind};
use tokio::sync::Semaphore;

use crate::domain::password::{self, Cost, Hashed, Scheme};

/// Computes password hashes.
#[derive(Debug)]
pub struct Hasher {
    permits: Arc<Semaphore>,
}

impl Hasher {
    /// With as many permits as there are cores.
    #[must_use]
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { permits: Arc::new(Semaphore::new(cores)) }
    }

    /// Hashes `password` the way `scheme` says.
    pub async fn hash(
        &self,
        scheme: Scheme,
        salt: Vec<u8>,
        password: &Personal,
    ) -> Result<KeyBytes, Problem> {
        let stopping = |_| Problem::new(ProblemKind::Unavailable, "the compartment is stopping");
        let permit = self.permits.clone().acquire_owned().await.map_err(stopping)?;
        let password = password.clone();
        // The permit goes along: a request that its client gave up still occupies a core.
        let hashing = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            password::hash(scheme, &salt, &password)
        });
        let hash = hashing.await.map_err(|e| Problem::internal(&e))?;
        hash.map_err(|e| Problem::internal(&e))
    }

    /// Hashes `password` the way new passwords are hashed.
    pub async fn hash_new(&self, password: &Personal, rng: &dyn Rng) -> Result<Hashed, Problem> {
        let scheme = Scheme::Argon2id(Cost::NOW);
        let salt = password::fresh_salt(rng);
        let hash = self.hash(scheme, salt.clone(), password).await?;
        Ok(Hashed { scheme, salt, hash })
    }
}
