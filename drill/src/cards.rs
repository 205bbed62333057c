//! Card numbers from test ranges. Each ends as a profile says, and has a right check digit.

use cofferdam_core::Personal;
use fake::rand::rngs::ChaCha8Rng;
use fake::rand::{RngExt, SeedableRng};
use payments_api::CardDetails;

/// Makes cards for profiles.
pub struct Cards {
    rng: ChaCha8Rng,
    year: u16,
}

impl Cards {
    /// Makes the cards of a seed. They expire after `year`.
    pub fn new(seed: u64, year: u16) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed ^ 0xca4d), year }
    }

    /// A card of sixteen digits whose last four are `last4`.
    pub fn ending(&mut self, last4: &str) -> CardDetails {
        let prefix = ["400000", "510510", "601100", "222300"][self.rng.random_range(0..4_usize)];
        let middle: u32 = self.rng.random_range(0..100_000);
        #[expect(clippy::expect_used, reason = "Luhn maps the ten digits of one place to ten sums")]
        let number = (0..10)
            .map(|check| format!("{prefix}{check}{middle:05}{last4}"))
            .find(|number| luhn(number))
            .expect("one of ten check digits is right");
        CardDetails {
            number: Personal::new(number),
            expiry_month: self.rng.random_range(1..=12),
            expiry_year: self.year + self.rng.random_range(1..=4),
        }
    }
}

/// Whether the check digit is right (ISO/IEC 7812): with every second digit from the right doubled,
/// the sum of all digits is divisible by ten.
fn luhn(number: &str) -> bool {
    let digits = number.bytes().rev().map(|b| u32::from(b - b'0'));
    let sum: u32 = digits
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => 2 * digit - 9,
            (_, digit) => 2 * digit,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_ends_as_asked_and_checks() {
        let mut cards = Cards::new(1, 2012);
        for last4 in ["0000", "4242", "9999", "0001"] {
            let card = cards.ending(last4);
            let number = card.number.expose();
            assert!(number.len() == 16 && number.ends_with(last4) && luhn(number), "{number}");
            assert!((2013..=2016).contains(&card.expiry_year));
        }
    }
}
