//! Randomness as an argument: code that needs random bytes is handed an [`Rng`].

use std::sync::Mutex;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use rand::RngCore;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// A source of random bytes.
pub trait Rng: Send + Sync {
    /// Overwrites `dest` with random bytes.
    fn fill(&self, dest: &mut [u8]);
}

impl dyn Rng + '_ {
    /// `N` fresh random bytes, for nonces, salts and tokens.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }
}

/// The operating system's cryptographic generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    fn fill(&self, dest: &mut [u8]) {
        #[expect(
            clippy::expect_used,
            reason = "getrandom(2) cannot fail once the kernel's pool is seeded, and going on without randomness would be worse than stopping"
        )]
        SystemRandom::new().fill(dest).expect("the operating system gives random bytes");
    }
}

/// A reproducible generator for tests and synthetic data. Never use it for secrets.
#[derive(Debug)]
pub struct SeededRng(Mutex<ChaCha20Rng>);

impl SeededRng {
    /// A generator that gives the same bytes for the same `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(ChaCha20Rng::seed_from_u64(seed)))
    }
}

impl Rng for SeededRng {
    fn fill(&self, dest: &mut [u8]) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).fill_bytes(dest);
    }
}
