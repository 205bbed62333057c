//! Random choices.

use fake::rand::RngExt;
use fake::rand::rngs::ChaCha8Rng;

/// One item of a list.
pub fn draw<'a, T>(rng: &mut ChaCha8Rng, list: &'a [T]) -> &'a T {
    &list[rng.random_range(0..list.len())]
}

/// Puts a digit for each `#` of a pattern, and a capital letter for each `@`.
pub fn fill_in(pattern: &str, rng: &mut ChaCha8Rng) -> String {
    let fill = |c: char| match c {
        '#' => char::from(rng.random_range(b'0'..=b'9')),
        // No postcode confuses these letters with digits.
        '@' => char::from(*draw(rng, b"ABCEGHJKLMNPRSTVWXYZ")),
        other => other,
    };
    pattern.chars().map(fill).collect()
}
