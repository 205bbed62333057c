//! Sealing returned mail under a key of our own, which is not in the database. The associated data
//! names letter, person and number, so that a message moved to another row does not open.

use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use cofferdam_core::{Personal, Rng};
use response_api::LetterId;
use zeroize::Zeroizing;

use crate::own_key::{OwnKeyError, own_key};

/// The number of bytes of a message that are kept.
pub const KEPT_BYTES: usize = 64 << 10;
const NONCE: usize = 12;

/// Seals and opens returned mail.
pub struct ReturnedSeal(LessSafeKey);

/// A returned message does not open.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the message was sealed with another `returned.key`, or is damaged")]
pub struct SealedElsewhere;

impl ReturnedSeal {
    /// Reads the key in `dir`. The first start makes the key.
    pub fn open(dir: &Path, rng: &dyn Rng) -> Result<Self, OwnKeyError> {
        let key = own_key(dir, "returned.key", rng)?;
        #[expect(clippy::expect_used, reason = "the key has the 32 bytes that AES-256 needs")]
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).expect("a key has 32 bytes");
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Seals the first 64 KiB of a message: nonce, ciphertext and tag in one piece.
    pub fn seal(&self, place: (LetterId, u32, u32), message: &[u8], rng: &dyn Rng) -> Vec<u8> {
        let nonce = rng.bytes::<NONCE>();
        let mut body = message[..message.len().min(KEPT_BYTES)].to_vec();
        #[expect(clippy::expect_used, reason = "sealing fails only for texts beyond 64 GiB")]
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad(place), &mut body)
            .expect("a message is shorter than AES-GCM's limit");
        [nonce.as_slice(), &body].concat()
    }

    /// Opens a message that was sealed for the same place.
    pub fn unseal(
        &self,
        place: (LetterId, u32, u32),
        sealed: &[u8],
    ) -> Result<Personal, SealedElsewhere> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE>().ok_or(SealedElsewhere)?;
        let mut body = Zeroizing::new(body.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain =
            self.0.open_in_place(nonce, aad(place), &mut body).map_err(|_| SealedElsewhere)?;
        Ok(Personal::new(String::from_utf8_lossy(plain).into_owned()))
    }
}

fn aad((letter, person, number): (LetterId, u32, u32)) -> Aad<[u8; 12]> {
    let mut place = [0; 12];
    for (part, value) in place.chunks_exact_mut(4).zip([letter.0, person, number]) {
        part.copy_from_slice(&value.to_be_bytes());
    }
    Aad::from(place)
}

#[cfg(test)]
mod tests {
    use cofferdam_core::SeededRng;

    use super::*;

    #[test]
    fn a_message_opens_only_in_its_own_place_and_under_its_key() {
        let (dir, other, rng) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), SeededRng::new(1));
        let seal = ReturnedSeal::open(dir.path(), &rng).unwrap();
        let place = (LetterId(2), 7, 1);
        let sealed = seal.seal(place, b"From: x\n\n\xffhello", &rng);
        let again = ReturnedSeal::open(dir.path(), &rng).unwrap();
        assert_eq!(again.unseal(place, &sealed).unwrap().expose(), "From: x\n\n\u{fffd}hello");
        for elsewhere in [(LetterId(3), 7, 1), (LetterId(2), 8, 1), (LetterId(2), 7, 0)] {
            assert!(seal.unseal(elsewhere, &sealed).is_err());
        }
        let another = ReturnedSeal::open(other.path(), &rng).unwrap();
        assert!(another.unseal(place, &sealed).is_err());
        assert!(seal.unseal(place, &sealed[..9]).is_err());
        let long = seal.seal(place, &vec![b'x'; KEPT_BYTES + 9], &rng);
        assert_eq!(seal.unseal(place, &long).unwrap().expose().len(), KEPT_BYTES);
    }
}
