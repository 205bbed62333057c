//! The compartment's half of every key, and what rests under it.
//!
//! `keys` releases its part of a field's key. The field is sealed under
//! `HKDF-Extract(salt = half[epoch], input = keys' part ‖ place)`, which is an HMAC-SHA-256 (RFC 5869,
//! section 2.2): neither the host of `keys` nor a database opens it without the half. Both inputs are
//! keys already, so that nothing is left for HKDF's second step to do. Password verifiers and look-up indexes, which
//! `keys` computes as well, rest encrypted under the half, so that pepper and database together allow no
//! guess.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::hmac;
use cofferdam_core::{Domain, Epoch, FieldKey, KeyBytes, Record, SealedAs};
use zeroize::Zeroizing;

use crate::VaultError;

/// The halves of one compartment, each from an epoch on.
#[derive(Debug)]
pub struct Halves {
    domain: Domain,
    by_epoch: BTreeMap<Epoch, Half>,
    /// The first epoch of the newest half that has begun. Nothing is sealed under an earlier epoch.
    begun: AtomicU16,
    /// Whether all data rests under the newest half. Nothing else is opened then.
    complete: AtomicBool,
}

/// The bytes of a tag of AES-GCM-SIV.
const TAG: usize = 16;

/// The keys that a compartment derives from one secret in its custody.
struct Half {
    fields: hmac::Key,
    at_rest: LessSafeKey,
}

/// Thirty-two bytes that `keys` computed, as the compartment's database holds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtRest {
    /// The first epoch of the half that encrypts the bytes; `None` for bytes from before any half.
    pub half: Option<Epoch>,
    /// The bytes, encrypted under the half.
    pub bytes: Vec<u8>,
}

/// The place of bytes at rest. Bytes that are moved to another place do not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resting {
    /// The verifier of a customer's password.
    Verifier(Record),
    /// The look-up index of an address.
    Index,
}

impl Halves {
    /// A compartment without halves, from before there were any: keys are those that `keys` releases.
    #[must_use]
    pub const fn none(domain: Domain) -> Self {
        let (begun, complete) = (AtomicU16::new(0), AtomicBool::new(false));
        Self { domain, by_epoch: BTreeMap::new(), begun, complete }
    }

    /// Makes the halves of a domain, none of which is known to have begun. Each secret counts from its
    /// epoch until the next one's.
    #[must_use]
    pub fn new(domain: Domain, secrets: impl IntoIterator<Item = (Epoch, KeyBytes)>) -> Self {
        let make = |(from, secret): (Epoch, KeyBytes)| (from, Half::new(domain, from, &secret));
        Self { by_epoch: secrets.into_iter().map(make).collect(), ..Self::none(domain) }
    }

    /// The first epoch of the half that an epoch's keys take.
    #[must_use]
    pub fn of(&self, epoch: Epoch) -> Option<Epoch> {
        self.by_epoch.range(..=epoch).next_back().map(|(from, _)| *from)
    }

    /// Takes note of an epoch under which the compartment seals from now on.
    pub fn begin(&self, epoch: Epoch) {
        if let Some(from) = self.of(epoch) {
            self.begun.fetch_max(from.0, Ordering::Relaxed);
        }
    }

    /// Takes note that all data rests under the newest half.
    pub fn complete(&self) {
        self.complete.store(true, Ordering::Relaxed);
    }

    /// Whether all data rests under the newest half.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete.load(Ordering::Relaxed)
    }

    /// Checks that a key to seal with is of no epoch before a half that has begun: a fallen `keys` could
    /// have the compartment seal without it.
    pub(crate) fn check_sealing(&self, epoch: Epoch) -> Result<(), VaultError> {
        if epoch.0 < self.begun.load(Ordering::Relaxed) {
            return Err(VaultError::EarlierEpoch(epoch));
        }
        self.begin(epoch);
        Ok(())
    }

    /// The first epochs of the halves.
    pub(crate) fn epochs(&self) -> impl Iterator<Item = &Epoch> {
        self.by_epoch.keys()
    }

    pub(crate) const fn domain(&self) -> Domain {
        self.domain
    }

    /// Combines the part of a key that `keys` released with the half of its epoch.
    pub(crate) fn combine(&self, place: SealedAs, part: FieldKey) -> FieldKey {
        match self.by_epoch.range(..=place.epoch).next_back() {
            Some((_, half)) => half.combine(place, &part),
            None => part,
        }
    }

    /// Encrypts bytes under the newest half. The same bytes at the same place give the same result, so
    /// that an index can be looked up.
    pub fn rest(&self, place: Resting, secret: &KeyBytes) -> Result<AtRest, VaultError> {
        let Some((from, half)) = self.by_epoch.last_key_value() else { return Ok(bare(secret)) };
        half.encrypt(self.domain, *from, place, secret)
    }

    /// Opens bytes that [`Halves::rest`] made.
    pub fn open(&self, place: Resting, at_rest: &AtRest) -> Result<KeyBytes, VaultError> {
        if self.is_complete() && at_rest.half != self.newest() {
            return Err(VaultError::AtRest);
        }
        let bytes = match at_rest.half {
            // A compartment that had a half from its first epoch on holds nothing bare.
            None if self.by_epoch.contains_key(&Epoch(0)) => None,
            None => <[u8; 32]>::try_from(at_rest.bytes.as_slice()).ok(),
            Some(from) => {
                let half = self.by_epoch.get(&from).ok_or(VaultError::NoHalf(from))?;
                half.decrypt(self.domain, place, &at_rest.bytes)
            }
        };
        bytes.map(KeyBytes::new).ok_or(VaultError::AtRest)
    }

    /// Every form in which the database may hold an index, the newest first.
    pub fn forms(&self, index: &KeyBytes) -> Result<Vec<AtRest>, VaultError> {
        let encrypt =
            |(from, half): (&Epoch, &Half)| half.encrypt(self.domain, *from, Resting::Index, index);
        let possible = if self.is_complete() { 1 } else { usize::MAX };
        let newest_first = self.by_epoch.iter().rev().take(possible);
        let mut forms = newest_first.map(encrypt).collect::<Result<Vec<_>, _>>()?;
        if !self.is_complete() && !self.by_epoch.contains_key(&Epoch(0)) {
            forms.push(bare(index));
        }
        Ok(forms)
    }

    /// The first epoch of the newest half, under which bytes rest.
    #[must_use]
    pub fn newest(&self) -> Option<Epoch> {
        self.by_epoch.last_key_value().map(|(from, _)| *from)
    }
}

impl Half {
    fn new(domain: Domain, from: Epoch, secret: &KeyBytes) -> Self {
        let prk = extract(domain, from, secret);
        let (fields, at_rest) = (expand(&prk, b"fields"), expand(&prk, b"at rest"));
        let fields = hmac::Key::new(hmac::HMAC_SHA256, fields.as_slice());
        Self { fields, at_rest: aead(&at_rest) }
    }

    fn combine(&self, place: SealedAs, part: &FieldKey) -> FieldKey {
        let SealedAs { record, field, epoch } = place;
        let [r0, r1, r2, r3] = record.0.to_be_bytes();
        let [e0, e1] = epoch.0.to_be_bytes();
        let mut extract = hmac::Context::with_key(&self.fields);
        extract.update(part.0.expose());
        extract.update(&[field as u8, r0, r1, r2, r3, e0, e1]);
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(extract.sign().as_ref());
        FieldKey(KeyBytes::new(*key))
    }

    /// Encrypts with AES-256-GCM-SIV (RFC 8452) and a fixed nonce: equal inputs give equal outputs,
    /// which is all that such an output tells.
    fn encrypt(
        &self,
        domain: Domain,
        from: Epoch,
        place: Resting,
        secret: &KeyBytes,
    ) -> Result<AtRest, VaultError> {
        // The tag must not make the vector move: the old place would keep the bytes in clear.
        let mut bytes = Vec::with_capacity(secret.expose().len() + TAG);
        bytes.extend_from_slice(secret.expose());
        let sealed = self.at_rest.seal_in_place_append_tag(nonce(), place.aad(domain), &mut bytes);
        sealed.map_err(|_| VaultError::AtRest)?;
        Ok(AtRest { half: Some(from), bytes })
    }

    fn decrypt(&self, domain: Domain, place: Resting, bytes: &[u8]) -> Option<[u8; 32]> {
        let mut bytes = Zeroizing::new(bytes.to_vec());
        let opened = self.at_rest.open_in_place(nonce(), place.aad(domain), &mut bytes).ok()?;
        (&*opened).try_into().ok()
    }
}

impl std::fmt::Debug for Half {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Half(…)")
    }
}

impl Resting {
    fn aad(self, domain: Domain) -> Aad<Vec<u8>> {
        let mut aad = format!("cofferdam/v1/{domain}/").into_bytes();
        match self {
            Self::Verifier(record) => {
                aad.extend(b"verifier");
                aad.extend(record.0.to_be_bytes());
            }
            Self::Index => aad.extend(b"index"),
        }
        Aad::from(aad)
    }
}

/// A value by which a secret is known again. It tells nothing about the secret.
pub fn check_value(domain: Domain, from: Epoch, secret: &KeyBytes) -> [u8; 32] {
    *expand(&extract(domain, from, secret), b"check value")
}

fn bare(secret: &KeyBytes) -> AtRest {
    AtRest { half: None, bytes: secret.expose().to_vec() }
}

fn extract(domain: Domain, from: Epoch, secret: &KeyBytes) -> Prk {
    let salt = format!("cofferdam/v1/half/{domain}/{}", from.0);
    Salt::new(HKDF_SHA256, salt.as_bytes()).extract(secret.expose())
}

/// The length of HKDF's output.
struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

fn expand(prk: &Prk, info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    #[expect(clippy::expect_used, reason = "HKDF fails only above 255 blocks; this is one")]
    prk.expand(&[info], Bytes32)
        .and_then(|okm| okm.fill(out.as_mut_slice()))
        .expect("one block of HKDF output");
    out
}

fn aead(key: &[u8; 32]) -> LessSafeKey {
    #[expect(clippy::expect_used, reason = "the type has the length of an AES-256 key")]
    let key = UnboundKey::new(&AES_256_GCM_SIV, key).expect("an AES-256 key has 32 bytes");
    LessSafeKey::new(key)
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

#[cfg(test)]
mod tests;
