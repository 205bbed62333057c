//! The custodians' shares of the root key: Shamir's secret sharing over GF(256) (Shamir, *How to
//! share a secret*, 1979), as text that a person can keep on paper and type.
//!
//! A share is `version ‖ ceremony (4) ‖ threshold ‖ share (33) ‖ CRC-32 (4)`, in hexadecimal digits
//! in groups of four. The checksum finds a typing error before a wrong key is put together.

use std::fmt;
use std::str::FromStr;

use blahaj::Sharks;
use cofferdam_core::{KeyBytes, Rng};
use rand_ten::SeedableRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::Quorum;

const VERSION: u8 = 1;
/// The number of bytes in a share.
const LENGTH: usize = 43;

/// The share of one custodian.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Share {
    ceremony: [u8; 4],
    threshold: u8,
    point: Vec<u8>,
}

/// A text that is no share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadShare {
    /// The text has other characters than hexadecimal digits, or too few or too many digits.
    #[error("a share has {} hexadecimal digits; blanks and hyphens don't count", LENGTH * 2)]
    Form,
    /// A digit was mistyped.
    #[error("a digit of the share is wrong: type it again")]
    Checksum,
    /// The share is from a later version.
    #[error("the share is from a later version")]
    Version,
}

/// Splits a root key into shares.
pub fn split(root: &KeyBytes, quorum: Quorum, rng: &dyn Rng) -> Vec<Share> {
    let ceremony = rng.bytes();
    let mut random = rand_ten::rngs::StdRng::from_seed(rng.bytes());
    let points = Sharks(quorum.threshold).dealer_rng(root.expose(), &mut random);
    points
        .take(quorum.custodians.into())
        .map(|point| Share { ceremony, threshold: quorum.threshold, point: Vec::from(&point) })
        .collect()
}

/// The shares of one ceremony that have come together.
#[derive(Default)]
pub struct Shares(Vec<Share>);

/// The result of adding a share.
#[derive(Debug)]
pub enum Added {
    /// More shares are needed.
    Missing {
        /// The number of shares that have come together.
        have: usize,
        /// The number of shares that are needed in all.
        of: usize,
    },
    /// The shares make a key. It is right if every share was right.
    Complete(KeyBytes),
    /// The share is from another ceremony than the ones before.
    Foreign,
    /// The share was added before.
    Twice,
}

impl Shares {
    /// Adds a share to those that came before.
    pub fn add(&mut self, share: Share) -> Added {
        if let Some(first) = self.0.first() {
            if first.ceremony != share.ceremony || first.threshold != share.threshold {
                return Added::Foreign;
            }
            if self.0.iter().any(|other| other.point.first() == share.point.first()) {
                return Added::Twice;
            }
        }
        let of = usize::from(share.threshold);
        self.0.push(share);
        match self.combine(of) {
            Some(root) => Added::Complete(root),
            None => Added::Missing { have: self.0.len(), of },
        }
    }

    fn combine(&self, threshold: usize) -> Option<KeyBytes> {
        if self.0.len() < threshold {
            return None;
        }
        let points: Vec<_> = self
            .0
            .iter()
            .filter_map(|share| blahaj::Share::try_from(share.point.as_slice()).ok())
            .collect();
        let secret = Zeroizing::new(Sharks(u8::try_from(threshold).ok()?).recover(&points).ok()?);
        Some(KeyBytes::new(secret.as_slice().try_into().ok()?))
    }
}

impl Share {
    /// The share as text, which is as secret as the share.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(vec![VERSION]);
        bytes.extend_from_slice(&self.ceremony);
        bytes.push(self.threshold);
        bytes.extend_from_slice(&self.point);
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_be_bytes());
        let mut text = Zeroizing::new(String::with_capacity(LENGTH * 3));
        for (place, byte) in bytes.iter().enumerate() {
            if place > 0 && place.is_multiple_of(2) {
                text.push('-');
            }
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
            }
        }
        text
    }
}

impl FromStr for Share {
    type Err = BadShare;

    fn from_str(text: &str) -> Result<Self, BadShare> {
        let digit = |of: char| {
            of.to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or(BadShare::Form)
        };
        let digits = text.chars().filter(|c| !c.is_whitespace() && *c != '-').take(LENGTH * 2 + 1);
        let digits = Zeroizing::new(digits.map(digit).collect::<Result<Vec<u8>, _>>()?);
        let pairs = digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low);
        let bytes = Zeroizing::new(pairs.collect::<Vec<u8>>());
        if digits.len() != LENGTH * 2 {
            return Err(BadShare::Form);
        }
        let (body, checksum) = bytes.split_at(LENGTH - 4);
        if crc32fast::hash(body).to_be_bytes() != checksum {
            return Err(BadShare::Checksum);
        }
        let [VERSION, c0, c1, c2, c3, threshold, point @ ..] = body else {
            return Err(BadShare::Version);
        };
        Ok(Self { ceremony: [*c0, *c1, *c2, *c3], threshold: *threshold, point: point.to_vec() })
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Share(…)")
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::SystemRng;
    use proptest::prelude::*;

    use super::*;

    fn three_shares(root: &KeyBytes) -> Vec<Share> {
        split(root, Quorum { custodians: 3, threshold: 2 }, &SystemRng)
    }

    #[test]
    fn any_two_of_three_make_the_key_and_one_does_not() {
        let root = KeyBytes::new([9; 32]);
        let shares = three_shares(&root);
        for (a, b) in [(0, 1), (1, 2), (2, 0)] {
            let mut together = Shares::default();
            let first = together.add(shares[a].clone());
            assert!(matches!(first, Added::Missing { have: 1, of: 2 }));
            assert!(matches!(together.add(shares[a].clone()), Added::Twice));
            assert!(matches!(together.add(three_shares(&root)[b].clone()), Added::Foreign));
            let Added::Complete(key) = together.add(shares[b].clone()) else {
                panic!("two shares make no key");
            };
            assert_eq!(key.expose(), root.expose());
        }
    }

    #[test]
    fn a_share_reads_back_and_a_mistyped_digit_is_found() {
        let share = three_shares(&KeyBytes::new([9; 32])).remove(0);
        let text = share.to_text();
        assert_eq!(text.parse::<Share>().as_ref(), Ok(&share));
        assert_eq!(text.to_uppercase().replace('-', " ").parse::<Share>().as_ref(), Ok(&share));
        for (at, digit) in text.char_indices().filter(|(_, c)| *c != '-') {
            let other = if digit == '0' { "1" } else { "0" };
            let mut mistyped = text.to_string();
            mistyped.replace_range(at..=at, other);
            assert_eq!(mistyped.parse::<Share>(), Err(BadShare::Checksum), "digit {at}");
        }
        assert_eq!(text[..40].parse::<Share>(), Err(BadShare::Form));
    }

    proptest! {
        #[test]
        fn foreign_text_never_panics(text: String) {
            let _ = text.parse::<Share>();
        }
    }
}
