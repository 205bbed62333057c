//! A field sealed under its own key with AES-256-GCM (NIST SP 800-38D). A sealed field is a 12-byte
//! random nonce, the ciphertext and a 16-byte tag. The associated data names record, field and
//! epoch, so that a ciphertext moved to another place does not open.
//!
//! Only `keys` derives keys; this module uses them.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{Epoch, Field, InternalError, KeyBytes, Personal, Record, Rng};

const NONCE: usize = 12;

/// The key of one field of one record, as `keys` released it. A compartment drops it at the end of
/// the request.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct FieldKey(pub KeyBytes);

/// The place that a ciphertext belongs to. The field implies the domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedAs {
    /// The record number within the field's domain.
    pub record: Record,
    /// The field of the record.
    pub field: Field,
    /// The epoch of the key that seals it.
    pub epoch: Epoch,
}

/// The ciphertext is damaged, or was sealed under another key or for another place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed {field} of record {record} does not open")]
pub struct OpenError {
    record: Record,
    field: Field,
}

impl InternalError for OpenError {}

impl SealedAs {
    /// Seals `text` under `key` and returns nonce, ciphertext and tag in one piece.
    #[must_use]
    pub fn seal(self, key: &FieldKey, text: &Personal, rng: &dyn Rng) -> Vec<u8> {
        let nonce = rng.bytes::<NONCE>();
        let mut out = Vec::with_capacity(NONCE + text.expose().len() + 16);
        out.extend_from_slice(&nonce);
        let mut body = Zeroizing::new(text.expose().as_bytes().to_vec());
        #[expect(clippy::expect_used, reason = "sealing fails only for texts beyond 64 GiB")]
        let tag = aead(key)
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), self.aad(), &mut body)
            .expect("a field is shorter than AES-GCM's limit");
        out.extend_from_slice(&body);
        out.extend_from_slice(tag.as_ref());
        out
    }

    /// Opens a ciphertext that [`SealedAs::seal`] made for the same place.
    pub fn open(self, key: &FieldKey, sealed: &[u8]) -> Result<Personal, OpenError> {
        let error = OpenError { record: self.record, field: self.field };
        let (nonce, body) = sealed.split_first_chunk::<NONCE>().ok_or(error)?;
        let mut body = Zeroizing::new(body.to_vec());
        let plain = aead(key)
            .open_in_place(Nonce::assume_unique_for_key(*nonce), self.aad(), &mut body)
            .map_err(|_| error)?;
        let text = std::str::from_utf8(plain).map_err(|_| error)?;
        Ok(Personal::new(text))
    }

    /// Opens a field under `old_key` and seals it again for the same record and field under
    /// `new_key` of another epoch.
    pub fn move_to(
        self,
        epoch: Epoch,
        old_key: &FieldKey,
        new_key: &FieldKey,
        sealed: &[u8],
        rng: &dyn Rng,
    ) -> Result<Vec<u8>, OpenError> {
        let text = self.open(old_key, sealed)?;
        Ok(Self { epoch, ..self }.seal(new_key, &text, rng))
    }

    fn aad(self) -> Aad<[u8; 8]> {
        let [r0, r1, r2, r3] = self.record.0.to_be_bytes();
        let [e0, e1] = self.epoch.0.to_be_bytes();
        Aad::from([1, self.field as u8, r0, r1, r2, r3, e0, e1])
    }
}

fn aead(key: &FieldKey) -> LessSafeKey {
    #[expect(clippy::expect_used, reason = "`KeyBytes` has the 32 bytes that AES-256 needs")]
    let key = UnboundKey::new(&AES_256_GCM, key.0.expose()).expect("a field key has 32 bytes");
    LessSafeKey::new(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Rng, SeededRng};

    fn place(record: u32, field: Field, epoch: u16) -> SealedAs {
        SealedAs { record: Record(record), field, epoch: Epoch(epoch) }
    }

    proptest! {
        #[test]
        fn a_sealed_field_opens_only_in_its_own_place(text in ".{0,80}", record: u32, epoch: u16, seed: u64) {
            let rng = SeededRng::new(seed);
            let key = FieldKey(KeyBytes::new((&rng as &dyn Rng).bytes()));
            let here = place(record, Field::Name, epoch);
            let sealed = here.seal(&key, &Personal::new(text.clone()), &rng);
            let opened = here.open(&key, &sealed);
            prop_assert_eq!(opened.as_ref().map(Personal::expose), Ok(text.as_str()));

            let other_key = FieldKey(KeyBytes::new((&rng as &dyn Rng).bytes()));
            prop_assert!(here.open(&other_key, &sealed).is_err());
            prop_assert!(place(record, Field::Phone, epoch).open(&key, &sealed).is_err());
            prop_assert!(place(record ^ 1, Field::Name, epoch).open(&key, &sealed).is_err());
            prop_assert!(place(record, Field::Name, epoch ^ 1).open(&key, &sealed).is_err());
        }
    }

    #[test]
    fn a_short_ciphertext_is_an_error() {
        let key = FieldKey(KeyBytes::new([0; 32]));
        for len in 0..28 {
            assert!(place(1, Field::Name, 0).open(&key, &vec![0; len]).is_err());
        }
    }
}
