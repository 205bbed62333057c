//! The limit of sign-ins: Argon2id alone, on both cores.

use std::thread;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};

/// The cost that `accounts` uses for new passwords.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// Hashes passwords on as many threads as there are cores. Returns hashes a second.
pub fn measure(span: Duration) -> f64 {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let began = Instant::now();
    let threads: Vec<_> =
        (0..cores).map(|_| thread::spawn(move || hash_until(began, span))).collect();
    let hashes: u32 = threads.into_iter().map(|of| of.join().unwrap()).sum();
    f64::from(hashes) / began.elapsed().as_secs_f64()
}

fn hash_until(began: Instant, span: Duration) -> u32 {
    let (memory_kib, passes, lanes) = COST;
    let params = Params::new(memory_kib, passes, lanes, Some(32)).unwrap();
    let mut memory = vec![Block::new(); params.block_count()];
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let (mut out, mut hashes) = ([0; 32], 0);
    while began.elapsed() < span {
        argon
            .hash_password_into_with_memory(
                b"correct horse",
                b"sixteen bytes...",
                &mut out,
                &mut memory,
            )
            .unwrap();
        hashes += 1;
    }
    hashes
}
