//! Passwords, sessions and card numbers, as a conventional shop keeps them.

use std::num::NonZeroU32;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use cofferdam_core::{KeyBytes, Personal, Rng};
use zeroize::Zeroizing;

/// The rounds of a password's hash. A real shop takes some thousand times as many, but the drill
/// does not measure the cost of a guess.
const ROUNDS: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// The salted hash of a password, as text.
pub fn hash_password(password: &str, rng: &dyn Rng) -> String {
    let (salt, mut hash) = (rng.bytes::<16>(), [0; 32]);
    pbkdf2::derive(PBKDF2_HMAC_SHA256, ROUNDS, &salt, password.as_bytes(), &mut hash);
    format!("pbkdf2_sha256${ROUNDS}${}${}", hex::encode(salt), hex::encode(hash))
}

/// Whether `hash` is of this password.
pub fn verify_password(password: &Personal, hash: &str) -> bool {
    let decoded: Vec<_> = hash.split('$').skip(2).flat_map(hex::decode).collect();
    let [salt, hash] = decoded.as_slice() else { return false };
    let password = password.expose().as_bytes();
    pbkdf2::verify(PBKDF2_HMAC_SHA256, ROUNDS, salt, password, hash).is_ok()
}

/// The hash of a session's token. The database holds no token, so a stolen table opens no session.
pub fn hash_token(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}

/// The key of all card numbers.
pub struct CardKey(LessSafeKey);

impl CardKey {
    /// Prepares the key of the configuration.
    pub fn new(key: &KeyBytes) -> Self {
        #[expect(clippy::expect_used, reason = "32 bytes is the length of an AES-256 key")]
        let key = UnboundKey::new(&AES_256_GCM, key.expose()).expect("a key of 32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// Seals a card number: nonce, ciphertext, tag.
    pub fn seal(&self, number: &Personal, rng: &dyn Rng) -> Vec<u8> {
        let nonce = rng.bytes::<NONCE_LEN>();
        let mut body = Zeroizing::new(number.expose().as_bytes().to_vec());
        let unique = Nonce::assume_unique_for_key(nonce);
        #[expect(clippy::expect_used, reason = "fails only for texts beyond 64 GiB")]
        let tag = self
            .0
            .seal_in_place_separate_tag(unique, Aad::empty(), &mut body)
            .expect("a card number is shorter than AES-GCM's limit");
        [&nonce, body.as_slice(), tag.as_ref()].concat()
    }

    /// Opens a number that [`CardKey::seal`] sealed.
    pub fn open(&self, sealed: &[u8]) -> Option<Personal> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut body = Zeroizing::new(body.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let number = self.0.open_in_place(nonce, Aad::empty(), &mut body).ok()?;
        Some(Personal::new(str::from_utf8(number).ok()?))
    }
}
