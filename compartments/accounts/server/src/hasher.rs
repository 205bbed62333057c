//! Runs password hashes off the request threads, no more at once than there are cores.

use std::sync::{Arc, Mutex, PoisonError};

use cofferdam_core::{KeyBytes, Personal, Rng};
use cofferdam_wire::{Problem, ProblemKind};
use tokio::sync::Semaphore;

use crate::domain::password::{self, Cost, Hashed, Memory, Scheme};

/// Computes password hashes.
#[derive(Debug)]
pub struct Hasher {
    permits: Arc<Semaphore>,
    /// Working memory, one for each permit and kept for the next: left to the allocator, blocks
    /// of this size pile up in the arena of every thread that ever hashed.
    memories: Arc<Mutex<Vec<Memory>>>,
}

impl Hasher {
    /// With as many permits as there are cores.
    #[must_use]
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { permits: Arc::new(Semaphore::new(cores)), memories: Arc::default() }
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
        let (password, memories) = (password.clone(), self.memories.clone());
        // The permit goes along: a request that its client gave up still occupies a core.
        let hashing = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let take = || memories.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut memory = take().unwrap_or_default();
            let hash = password::hash(scheme, &salt, &password, &mut memory);
            memories.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
            hash
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
