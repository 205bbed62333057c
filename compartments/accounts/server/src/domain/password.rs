//! Hashing passwords, before `keys` makes or compares a verifier.

use std::fmt;
use std::str::FromStr;

use accounts_api::LegacyScheme;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_core::{KeyBytes, Personal, Rng};
use sha1::{Digest as _, Sha1};
use zeroize::Zeroizing;

/// The longest password that is hashed, in bytes: 200 characters of four bytes.
const MAX_BYTES: usize = 800;

/// The way in which a stored credential was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// A hash of an older shop.
    Legacy(LegacyScheme),
    /// Argon2id (RFC 9106), version 0x13, 32 bytes.
    Argon2id(Cost),
}

/// The cost of an Argon2 hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// The cost of new hashes: OWASP's first choice for Argon2id.
    pub const NOW: Self = Self { memory_kib: 19_456, passes: 2, lanes: 1 };
}

/// A stored credential names a scheme that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no password scheme")]
pub struct UnknownScheme(String);

/// A stored cost or salt that Argon2 does not accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Argon2 refuses the cost or the salt: {0}")]
pub struct BadCost(argon2::Error);

/// A new password that is too short or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password has 8 to 200 characters")]
pub struct BadPassword;

/// A salt, and the hash of which `keys` makes a verifier.
#[derive(Debug, Clone)]
pub struct Hashed {
    /// The scheme of the hash.
    pub scheme: Scheme,
    /// The salt, stored in clear.
    pub salt: Vec<u8>,
    /// The output of the scheme, of which nothing is stored but a verifier.
    pub hash: KeyBytes,
}

/// Working memory of Argon2, which can be used again.
#[derive(Default)]
pub struct Memory(Vec<Block>);

impl Memory {
    /// Overwrites what the last hash left. Without that, a copy of the memory would tell whether a guess
    /// is right for the price of two blocks.
    pub fn wipe(&mut self) {
        self.0.fill(Block::new());
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} KiB)", self.0.len())
    }
}

/// Checks the length of a new password.
pub fn check_new(password: &Personal) -> Result<(), BadPassword> {
    match password.expose().chars().count() {
        8..=200 => Ok(()),
        _ => Err(BadPassword),
    }
}

/// Whether a typed password is short enough to be hashed.
#[must_use]
pub fn is_hashable(password: &Personal) -> bool {
    password.expose().len() <= MAX_BYTES
}

/// A new salt for [`Scheme::Argon2id`].
#[must_use]
pub fn fresh_salt(rng: &dyn Rng) -> Vec<u8> {
    rng.bytes::<16>().to_vec()
}

/// Hashes `password` by `scheme`. Argon2id takes tens of milliseconds of one core.
pub fn hash(
    scheme: Scheme,
    salt: &[u8],
    password: &Personal,
    memory: &mut Memory,
) -> Result<KeyBytes, BadCost> {
    let password = password.expose().as_bytes();
    match scheme {
        Scheme::Legacy(LegacyScheme::SaltedSha1) => {
            let hash = Zeroizing::new(<[u8; 20]>::from(
                Sha1::new().chain_update(salt).chain_update(password).finalize(),
            ));
            Ok(sha256(hash.as_slice()))
        }
        Scheme::Legacy(LegacyScheme::SaltedSha256) => {
            let salted = Zeroizing::new([salt, password].concat());
            Ok(sha256(sha256(&salted).expose()))
        }
        Scheme::Argon2id(cost) => argon2id(cost, salt, password, memory),
    }
}

fn argon2id(
    cost: Cost,
    salt: &[u8],
    password: &[u8],
    memory: &mut Memory,
) -> Result<KeyBytes, BadCost> {
    let params =
        Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(BadCost)?;
    let mut out = Zeroizing::new([0; 32]);
    memory.0.resize(params.block_count(), Block::new());
    let hashed = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password, salt, out.as_mut_slice(), &mut memory.0);
    hashed.map_err(BadCost)?;
    Ok(KeyBytes::new(*out))
}

fn sha256(bytes: &[u8]) -> KeyBytes {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    KeyBytes::new(out)
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Legacy(LegacyScheme::SaltedSha1) => f.write_str("salted_sha1"),
            Self::Legacy(LegacyScheme::SaltedSha256) => f.write_str("salted_sha256"),
            Self::Argon2id(Cost { memory_kib, passes, lanes }) => {
                write!(f, "argon2id m={memory_kib} t={passes} p={lanes}")
            }
        }
    }
}

impl FromStr for Scheme {
    type Err = UnknownScheme;

    fn from_str(text: &str) -> Result<Self, UnknownScheme> {
        let cost = || -> Option<Cost> {
            let mut words = text.strip_prefix("argon2id ")?.split(' ');
            let mut number = |name| words.next()?.strip_prefix(name)?.parse().ok();
            let cost =
                Cost { memory_kib: number("m=")?, passes: number("t=")?, lanes: number("p=")? };
            words.next().is_none().then_some(cost)
        };
        match text {
            "salted_sha1" => Ok(Self::Legacy(LegacyScheme::SaltedSha1)),
            "salted_sha256" => Ok(Self::Legacy(LegacyScheme::SaltedSha256)),
            _ => cost().map(Self::Argon2id).ok_or_else(|| UnknownScheme(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::SeededRng;

    use super::*;

    fn hex_of(scheme: Scheme, salt: &[u8], password: &str) -> String {
        hex::encode(
            hash(scheme, salt, &Personal::new(password), &mut Memory::default()).unwrap().expose(),
        )
    }

    #[test]
    fn a_legacy_hash_is_what_the_older_shop_computed() {
        // python3: sha256(sha1(b"saltpassword").digest()), sha256(sha256(b"saltpassword").digest())
        assert_eq!(
            hex_of(Scheme::Legacy(LegacyScheme::SaltedSha1), b"salt", "password"),
            "1ed15b49b7698f4c70c07b3fbcef8b38239393fd7933fadc6e1b68c5a2801318"
        );
        assert_eq!(
            hex_of(Scheme::Legacy(LegacyScheme::SaltedSha256), b"salt", "password"),
            "fc34197d81f82921a67583bc20fdf5c0187b883f50db141916a40608540dc619"
        );
    }

    #[test]
    fn argon2id_agrees_with_the_reference() {
        // python3 argon2-cffi or `argon2 somesalt -id -t 2 -k 65536 -p 1`, password "password":
        // the vector of the reference implementation's test.c for version 0x13.
        let cost = Cost { memory_kib: 65_536, passes: 2, lanes: 1 };
        assert_eq!(
            hex_of(Scheme::Argon2id(cost), b"somesalt", "password"),
            "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"
        );
    }

    #[test]
    fn a_scheme_reads_back() {
        let all = [
            Scheme::Legacy(LegacyScheme::SaltedSha1),
            Scheme::Legacy(LegacyScheme::SaltedSha256),
            Scheme::Argon2id(Cost::NOW),
        ];
        for scheme in all {
            assert_eq!(scheme.to_string().parse(), Ok(scheme));
        }
        for bad in [
            "",
            "md5",
            "argon2id",
            "argon2id m=1 t=2",
            "argon2id m=1 t=2 p=1 x",
            "argon2id t=1 m=2 p=1",
        ] {
            assert!(bad.parse::<Scheme>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_typed_password_is_hashed_up_to_a_length_and_a_new_salt_is_random() {
        for (length, good) in [(0, true), (MAX_BYTES, true), (MAX_BYTES + 1, false)] {
            assert_eq!(is_hashable(&Personal::new("a".repeat(length))), good, "{length}");
        }
        let rng = SeededRng::new(1);
        let [first, second] = [fresh_salt(&rng), fresh_salt(&rng)];
        assert!(first.len() == 16 && first != second);
    }

    #[test]
    fn a_new_password_has_8_to_200_characters() {
        for (length, good) in [(7, false), (8, true), (200, true), (201, false)] {
            assert_eq!(check_new(&Personal::new("ß".repeat(length))).is_ok(), good, "{length}");
        }
    }
}
