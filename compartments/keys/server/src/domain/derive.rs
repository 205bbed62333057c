//! Deriving keys: HKDF-SHA-256 (RFC 5869) and HMAC-SHA-256 (RFC 2104).
//!
//! `record key = HKDF(master[domain, epoch], record)`, `field key = HKDF(record key, field)`. The keys
//! of verifiers, tickets, passkeys and challenges are `HKDF-Expand(pepper, purpose)`.

use std::collections::BTreeMap;

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::hmac;
use cofferdam_core::{Domain, Epoch, FieldKey, FieldSet, KeyBytes, Record, Timestamp};
use zeroize::Zeroizing;

use super::passkeys::{ChallengeTerms, PasskeyTerms};
use super::presence::TicketTerms;

/// The keys from which all others are derived.
pub struct KeyRing {
    masters: BTreeMap<(Domain, Epoch), Prk>,
    pepper: hmac::Key,
    verifiers: hmac::Key,
    tickets: hmac::Key,
    passkeys: hmac::Key,
    challenges: hmac::Key,
    index: hmac::Key,
}

/// The length of HKDF's output.
struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

impl KeyRing {
    /// Makes a ring without master keys.
    pub fn new(pepper: &KeyBytes, index: &KeyBytes) -> Self {
        let of_pepper = Prk::new_less_safe(HKDF_SHA256, pepper.expose());
        let key = |purpose: &[u8]| {
            hmac::Key::new(hmac::HMAC_SHA256, expand(&of_pepper, purpose).as_slice())
        };
        Self {
            masters: BTreeMap::new(),
            pepper: hmac::Key::new(hmac::HMAC_SHA256, pepper.expose()),
            verifiers: key(b"cofferdam/v1/verifiers"),
            tickets: key(b"cofferdam/v1/tickets"),
            passkeys: key(b"cofferdam/v1/passkeys"),
            challenges: key(b"cofferdam/v1/passkey challenges"),
            index: hmac::Key::new(hmac::HMAC_SHA256, index.expose()),
        }
    }

    /// Adds a master key. The highest epoch of a domain is its current one.
    pub fn insert(&mut self, domain: Domain, epoch: Epoch, master: &KeyBytes) {
        let salt = format!("cofferdam/v1/{domain}/{}", epoch.0);
        let master = Salt::new(HKDF_SHA256, salt.as_bytes()).extract(master.expose());
        self.masters.insert((domain, epoch), master);
    }

    /// Whether there is a master key of this epoch.
    pub fn has(&self, domain: Domain, epoch: Epoch) -> bool {
        self.masters.contains_key(&(domain, epoch))
    }

    /// The epochs of a domain, ascending; the last is the current one.
    pub fn epochs(&self, domain: Domain) -> Vec<Epoch> {
        self.masters.keys().filter(|(of, _)| *of == domain).map(|(_, epoch)| *epoch).collect()
    }

    /// The epoch under which new data is sealed; `None` for a domain that this instance does not
    /// serve.
    pub fn current(&self, domain: Domain) -> Option<Epoch> {
        self.epochs(domain).pop()
    }

    /// The keys of `fields` of `record`, in the order of the fields; `None` for an epoch without a
    /// master key.
    pub fn field_keys(
        &self,
        domain: Domain,
        epoch: Epoch,
        record: Record,
        fields: FieldSet,
    ) -> Option<Vec<FieldKey>> {
        let master = self.masters.get(&(domain, epoch))?;
        let record_key = expand(master, &record.0.to_be_bytes());
        let record_key = Prk::new_less_safe(HKDF_SHA256, record_key.as_slice());
        let keys = fields
            .iter()
            .map(|field| FieldKey(KeyBytes::new(*expand(&record_key, &[field as u8]))));
        Some(keys.collect())
    }

    /// The verifier of a password hash. It covers the record and the instant, so a verifier that is moved
    /// to another customer, or to a later instant, does not match.
    pub fn verifier(&self, record: Record, set_at: Timestamp, hash: &KeyBytes) -> KeyBytes {
        let mut context = hmac::Context::with_key(&self.verifiers);
        context.update(&record.0.to_be_bytes());
        context.update(&set_at.as_millisecond().to_be_bytes());
        context.update(hash.expose());
        tag(&context.sign())
    }

    /// The verifier of a password hash as earlier versions made it. It covers the record alone.
    pub fn unbound_verifier(&self, record: Record, hash: &KeyBytes) -> KeyBytes {
        let mut context = hmac::Context::with_key(&self.pepper);
        context.update(&record.0.to_be_bytes());
        context.update(hash.expose());
        tag(&context.sign())
    }

    /// The code of a ticket. The text of variable length stands last, so no two tickets share a code.
    pub fn ticket(&self, terms: &TicketTerms<'_>) -> KeyBytes {
        let mut context = hmac::Context::with_key(&self.tickets);
        context.update(&terms.record.0.to_be_bytes());
        context.update(&terms.given.as_millisecond().to_be_bytes());
        context.update(&terms.until.as_millisecond().to_be_bytes());
        context.update(&terms.secret.0);
        context.update(terms.group.as_str().as_bytes());
        tag(&context.sign())
    }

    /// The code of a passkey. The length of the public key stands before it, and the other text of variable
    /// length stands last, so no two passkeys share a code.
    pub fn passkey(&self, terms: &PasskeyTerms<'_>) -> KeyBytes {
        let mut context = hmac::Context::with_key(&self.passkeys);
        context.update(&terms.record.0.to_be_bytes());
        context.update(&terms.set_at.as_millisecond().to_be_bytes());
        context.update(&terms.algorithm.cose().to_be_bytes());
        context.update(&(terms.public_key.len() as u64).to_be_bytes());
        context.update(terms.public_key);
        context.update(terms.relying_party.as_str().as_bytes());
        tag(&context.sign())
    }

    /// The code of a challenge to a passkey. The text of variable length stands last.
    pub fn challenge(&self, terms: &ChallengeTerms<'_>) -> KeyBytes {
        let mut context = hmac::Context::with_key(&self.challenges);
        context.update(&terms.at.as_millisecond().to_be_bytes());
        context.update(&terms.session.0);
        context.update(terms.group.as_str().as_bytes());
        tag(&context.sign())
    }

    /// The look-up index of the digest of an address.
    pub fn index(&self, digest: &KeyBytes) -> KeyBytes {
        tag(&hmac::sign(&self.index, digest.expose()))
    }
}

fn expand(key: &Prk, info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    #[expect(clippy::expect_used, reason = "HKDF fails only above 255 blocks; this is one")]
    key.expand(&[info], Bytes32)
        .and_then(|okm| okm.fill(out.as_mut_slice()))
        .expect("one block of HKDF output");
    out
}

fn tag(tag: &hmac::Tag) -> KeyBytes {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(tag.as_ref());
    KeyBytes::new(bytes)
}

#[cfg(test)]
mod tests {
    use cofferdam_core::Field;

    use super::*;

    fn ring(seed: u8) -> KeyRing {
        let key = |seed: u8| KeyBytes::new([seed; 32]);
        let mut ring = KeyRing::new(&key(3), &key(4));
        for (place, domain) in (0..).zip(Domain::ALL) {
            ring.insert(domain, Epoch(0), &key(seed.wrapping_add(place)));
        }
        ring
    }

    fn key_of(ring: &KeyRing, domain: Domain, record: u32, field: Field) -> [u8; 32] {
        let fields = FieldSet::EMPTY.with(field);
        let keys = ring.field_keys(domain, Epoch(0), Record(record), fields).unwrap();
        *keys[0].0.expose()
    }

    #[test]
    fn every_field_of_every_record_has_its_own_key() {
        let first = ring(1);
        let mut seen = std::collections::HashSet::new();
        for record in [0, 1, 256, u32::MAX - 1] {
            for field in [Field::Name, Field::Email] {
                for domain in Domain::ALL {
                    assert!(seen.insert(key_of(&first, domain, record, field)));
                }
            }
        }
        assert!(!seen.contains(&key_of(&ring(9), Domain::Accounts, 0, Field::Name)));
        assert!(first.field_keys(Domain::Accounts, Epoch(1), Record(0), FieldSet::EMPTY).is_none());

        let mut later = ring(1);
        later.insert(Domain::Accounts, Epoch(1), &KeyBytes::new([1; 32]));
        assert_eq!(later.current(Domain::Accounts), Some(Epoch(1)));
        assert_eq!(
            key_of(&later, Domain::Accounts, 0, Field::Name),
            key_of(&first, Domain::Accounts, 0, Field::Name)
        );
        let fields = FieldSet::EMPTY.with(Field::Name);
        let next = later.field_keys(Domain::Accounts, Epoch(1), Record(0), fields).unwrap();
        assert_ne!(next[0].0.expose(), &key_of(&first, Domain::Accounts, 0, Field::Name));
    }

    #[test]
    fn the_derivation_never_changes() {
        // Data that is sealed today must open in ten years, so this value never changes.
        let key = key_of(&ring(1), Domain::Accounts, 7, Field::Email);
        let hex: Vec<_> = key.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex.concat(), GOLDEN);
    }

    /// Computed without this code, with HMAC alone (RFC 5869, sections 2.2 and 2.3).
    const GOLDEN: &str = "5bdd647db8efd23fa5d3aa88a44b0ab15ac0c66c98e30999ff7e2b9e5f6bcb60";

    #[test]
    fn a_verifier_belongs_to_one_customer() {
        let ring = ring(1);
        let hash = KeyBytes::new([5; 32]);
        let unbound = |record| *ring.unbound_verifier(Record(record), &hash).expose();
        assert_eq!(unbound(1), unbound(1));
        assert_ne!(unbound(1), unbound(2));
        assert_ne!(&unbound(1), ring.index(&hash).expose());
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let bound = |record, ms| *ring.verifier(Record(record), at(ms), &hash).expose();
        assert_eq!(bound(1, 5), bound(1, 5));
        assert_ne!(bound(1, 5), bound(2, 5));
        assert_ne!(bound(1, 5), bound(1, 6));
        assert_ne!(bound(1, 5), unbound(1));
    }
}
