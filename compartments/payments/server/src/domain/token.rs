//! Tokens.

use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_core::Rng;
use payments_api::{BadToken, CardToken};

/// What the table keeps of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenHash(Vec<u8>);

impl TokenHash {
    /// The hash of a token. A token has 128 random bits, so it takes no salt and no slow hash.
    #[must_use]
    pub fn of(token: &CardToken) -> Self {
        Self(digest(&SHA256, token.as_str().as_bytes()).as_ref().to_vec())
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A token that stands for no card yet.
pub fn fresh_token(rng: &dyn Rng) -> Result<CardToken, BadToken> {
    hex::encode(rng.bytes::<16>()).parse()
}
