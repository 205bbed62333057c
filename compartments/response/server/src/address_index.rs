//! Keyed hashes of e-mail addresses. Access logs can name people by address, and the database alone
//! discloses none.

use std::path::Path;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use cofferdam_core::{Personal, Rng, Sha256};
use zeroize::Zeroizing;

use crate::own_key::{OwnKeyError, own_key};

/// Makes keyed hashes of addresses.
#[derive(Debug)]
pub struct AddressIndex(Key);

impl AddressIndex {
    /// Reads the key in `dir`. The first start makes the key.
    pub fn open(dir: &Path, rng: &dyn Rng) -> Result<Self, OwnKeyError> {
        let key = own_key(dir, "lookup.key", rng)?;
        Ok(Self(Key::new(HMAC_SHA256, key.as_slice())))
    }

    /// The id of the key, which tells nothing about it. Hashes under another key find nobody.
    #[must_use]
    pub fn key_id(&self) -> Sha256 {
        Sha256::of(sign(&self.0, b"key id").as_ref())
    }

    /// Hashes an address. Letter case makes no difference.
    pub fn hash(&self, email: &Personal) -> Vec<u8> {
        let plain = Zeroizing::new(email.expose().trim().to_lowercase());
        sign(&self.0, plain.as_bytes()).as_ref().to_vec()
    }
}
