//! Computes password hashes beside the request threads, at most one for each core at a time. Callers take
//! turns.

use std::iter;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cofferdam_core::{CallerName, KeyBytes, Personal, Rng};
use cofferdam_wire::Problem;

use super::turns::{Clear, Turns};
use crate::domain::password::{self, Cost, Hashed, Memory, Scheme};

/// Computes password hashes.
#[derive(Debug)]
pub struct Hasher {
    /// Turns at working memory. From the allocator, blocks of this size would pile up in the arena of
    /// every thread that ever hashed. Clearing a block takes milliseconds, and is left out if the next hash
    /// overwrites the block at once.
    turns: Arc<Turns<Memory>>,
    cores: u32,
    busy: Arc<Mutex<Busy>>,
}

/// The time spent on hashes in the current window and in the one before.
#[derive(Debug)]
struct Busy {
    began: Instant,
    now: Duration,
    before: Duration,
}

/// The length of a window.
const WINDOW: Duration = Duration::from_secs(10);

impl Clear for Memory {
    fn clear(&mut self) {
        self.wipe();
    }
}

impl Busy {
    const fn new(began: Instant) -> Self {
        Self { began, now: Duration::ZERO, before: Duration::ZERO }
    }

    /// Moves on to the window of `at`.
    fn roll(&mut self, at: Instant) {
        let passed = at.saturating_duration_since(self.began);
        if passed >= WINDOW {
            let before = if passed < 2 * WINDOW { self.now } else { Duration::ZERO };
            *self = Self { before, ..Self::new(at) };
        }
    }

    fn add(&mut self, spent: Duration, at: Instant) {
        self.roll(at);
        self.now += spent;
    }

    /// The share of the last whole window that was spent on hashes, or that of the current one if
    /// it is larger already.
    fn percent(&mut self, cores: u32, at: Instant) -> u8 {
        self.roll(at);
        let most = WINDOW.as_millis() * u128::from(cores);
        let percent = self.now.max(self.before).as_millis() * 100 / most;
        u8::try_from(percent.min(100)).unwrap_or(100)
    }
}

impl Hasher {
    /// Makes a hasher for as many hashes at once as there are cores.
    #[must_use]
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            turns: Turns::new(iter::repeat_with(Memory::default).take(cores).collect()),
            cores: u32::try_from(cores).unwrap_or(u32::MAX),
            busy: Arc::new(Mutex::new(Busy::new(Instant::now()))),
        }
    }

    /// The load of the cores by hashes in the last ten to twenty seconds, in percent.
    #[must_use]
    pub fn busy_percent(&self) -> u8 {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.percent(self.cores, Instant::now())
    }

    /// Hashes `password` by `scheme`, in the turn of `caller`.
    pub async fn hash(
        &self,
        caller: &CallerName,
        scheme: Scheme,
        salt: Vec<u8>,
        password: &Personal,
    ) -> Result<KeyBytes, Problem> {
        let mut memory = self.turns.wait(caller).await;
        let (password, busy) = (password.clone(), self.busy.clone());
        // The turn moves along, because the hash still occupies a core if the client gives up.
        let hashing = cofferdam_wire::blocking(move || {
            let began = Instant::now();
            let hash = password::hash(scheme, &salt, &password, &mut memory);
            let ended = Instant::now();
            busy.lock().unwrap_or_else(PoisonError::into_inner).add(ended - began, ended);
            hash
        });
        let hash = hashing.await?;
        hash.map_err(|e| Problem::internal(&e))
    }

    /// Hashes `password` as new passwords are hashed.
    pub async fn hash_new(
        &self,
        caller: &CallerName,
        password: &Personal,
        rng: &dyn Rng,
    ) -> Result<Hashed, Problem> {
        let scheme = Scheme::Argon2id(Cost::NOW);
        let salt = password::fresh_salt(rng);
        let hash = self.hash(caller, scheme, salt.clone(), password).await?;
        Ok(Hashed { scheme, salt, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_is_a_share_of_all_cores_and_is_forgotten() {
        let began = Instant::now();
        let after = |seconds| began + Duration::from_secs(seconds);
        let mut busy = Busy::new(began);
        for second in 1..=8 {
            busy.add(Duration::from_secs(1), after(second));
        }
        assert_eq!(busy.percent(2, after(9)), 40);
        assert_eq!(busy.percent(2, after(12)), 40, "of the window before");
        busy.add(Duration::from_secs(40), after(13));
        assert_eq!(busy.percent(2, after(14)), 100, "never more than all");
        assert_eq!(busy.percent(2, after(60)), 0, "long ago");
    }
}
