//! Card tokens: 128 random bits, so that nobody finds one by trying.

use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_core::Rng;
use payments_api::CardToken;

/// Makes a fresh token.
pub fn new_token(rng: &dyn Rng) -> CardToken {
    #[expect(clippy::expect_used, reason = "16 bytes have 32 hexadecimal digits")]
    hex::encode(rng.bytes::<16>()).parse().expect("the hex of 16 bytes is a token")
}

/// The form in which a token is stored. It needs no salt, because a random token can't be guessed.
pub fn token_hash(token: &CardToken) -> Vec<u8> {
    digest(&SHA256, token.as_str().as_bytes()).as_ref().to_vec()
}
