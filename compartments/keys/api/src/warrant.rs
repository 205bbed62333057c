//! Warrants: leave for one caller to read some fields of a bounded number of records, given by
//! two people who each sign with a key of their own.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{CallerName, Domain, FieldSet, Rng, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The number of a warrant: 16 random bytes, in hexadecimal as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WarrantId(pub [u8; 16]);

impl WarrantId {
    /// A fresh number.
    #[must_use]
    pub fn random(rng: &dyn Rng) -> Self {
        Self(rng.bytes())
    }
}

impl fmt::Display for WarrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for WarrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WarrantId({self})")
    }
}

impl std::str::FromStr for WarrantId {
    type Err = BadWarrant;

    fn from_str(s: &str) -> Result<Self, BadWarrant> {
        if s.len() != 32 || !s.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(BadWarrant::Number);
        }
        let number = u128::from_str_radix(s, 16).map_err(|_| BadWarrant::Number)?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl Serialize for WarrantId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.collect_str(self) } else { self.0.serialize(s) }
    }
}

impl<'de> Deserialize<'de> for WarrantId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            let text = String::deserialize(d)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            <[u8; 16]>::deserialize(d).map(Self)
        }
    }
}

/// What a warrant allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warrant {
    /// Its number; the same number opens once.
    pub id: WarrantId,
    /// The number of the incident it belongs to.
    pub incident: u32,
    /// Why, in a sentence.
    pub purpose: String,
    /// Who may draw on it.
    pub caller: CallerName,
    /// Where.
    pub domain: Domain,
    /// Which fields.
    pub fields: FieldSet,
    /// How many records in all.
    pub records: u32,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

impl Warrant {
    /// The bytes that are signed: a heading against reuse elsewhere, then the warrant as JSON
    /// with its keys in the order of the type.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut out = b"cofferdam warrant v1\n".to_vec();
        #[expect(clippy::expect_used, reason = "a warrant holds only strings, numbers and lists")]
        serde_json::to_writer(&mut out, self).expect("a warrant can be written as JSON");
        out
    }
}

/// A warrant with its signatures.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedWarrant {
    /// What is allowed.
    pub warrant: Warrant,
    /// Signatures by different people; two are needed.
    pub signatures: Vec<Signature>,
}

/// One person's signature.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Who signed, as in the list of approvers.
    pub approver: String,
    /// Ed25519 (RFC 8032) over [`Warrant::signed_bytes`], base64.
    pub signature: String,
}

/// Why a warrant does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadWarrant {
    /// Not 32 hexadecimal digits.
    #[error("a warrant's number is 32 hexadecimal digits")]
    Number,
    /// A key file or key string can't be read.
    #[error("an approver's key is the base64 of 32 bytes")]
    Key,
    /// Fewer than two people signed.
    #[error("a warrant needs two different people's signatures; it has {0} good ones")]
    TooFew(usize),
    /// Somebody signed who may not approve.
    #[error("{0:?} is no approver")]
    Unknown(String),
    /// A signature does not match.
    #[error("the signature of {0:?} does not match this warrant")]
    Mismatch(String),
}

/// An approver's public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApproverKey {
    /// The person.
    pub name: String,
    /// Ed25519 public key, base64.
    pub public_key: String,
}

impl SignedWarrant {
    /// Checks that two different approvers signed exactly this warrant; their names, sorted.
    pub fn verify(&self, approvers: &[ApproverKey]) -> Result<[String; 2], BadWarrant> {
        let message = self.warrant.signed_bytes();
        let mut names = Vec::new();
        for signature in &self.signatures {
            let who = &signature.approver;
            let approver = approvers
                .iter()
                .find(|a| &a.name == who)
                .ok_or_else(|| BadWarrant::Unknown(who.clone()))?;
            let mismatch = || BadWarrant::Mismatch(who.clone());
            let key = STANDARD.decode(&approver.public_key).map_err(|_| BadWarrant::Key)?;
            let bytes = STANDARD.decode(&signature.signature).map_err(|_| mismatch())?;
            UnparsedPublicKey::new(&ED25519, key)
                .verify(&message, &bytes)
                .map_err(|_| mismatch())?;
            names.push(who.clone());
        }
        names.sort_unstable();
        names.dedup();
        let good = names.len();
        match <[String; 2]>::try_from(names) {
            Ok(two) => Ok(two),
            Err(mut more) if good > 2 => {
                more.truncate(2);
                <[String; 2]>::try_from(more).map_err(|_| BadWarrant::TooFew(good))
            }
            Err(_) => Err(BadWarrant::TooFew(good)),
        }
    }
}

/// An approver's signing key.
pub struct ApproverSecret {
    name: String,
    pair: Ed25519KeyPair,
    seed: Zeroizing<[u8; 32]>,
}

impl ApproverSecret {
    /// A new key for `name`.
    #[must_use]
    pub fn generate(name: &str, rng: &dyn Rng) -> Self {
        #[expect(clippy::expect_used, reason = "any 32 bytes are an Ed25519 seed")]
        Self::from_seed(name, Zeroizing::new(rng.bytes())).expect("32 bytes are a seed")
    }

    /// Reads back what [`ApproverSecret::to_text`] wrote.
    pub fn from_text(name: &str, text: &str) -> Result<Self, BadWarrant> {
        let mut seed = Zeroizing::new([0; 32]);
        match STANDARD.decode_slice(text.trim(), seed.as_mut_slice()) {
            Ok(32) => Self::from_seed(name, seed),
            _ => Err(BadWarrant::Key),
        }
    }

    fn from_seed(name: &str, seed: Zeroizing<[u8; 32]>) -> Result<Self, BadWarrant> {
        let pair =
            Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map_err(|_| BadWarrant::Key)?;
        Ok(Self { name: name.to_owned(), pair, seed })
    }

    /// The key as text, for a file of mode 0600.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.seed.as_slice()))
    }

    /// The public half, for the configuration of `keys`.
    #[must_use]
    pub fn public(&self) -> ApproverKey {
        ApproverKey {
            name: self.name.clone(),
            public_key: STANDARD.encode(self.pair.public_key().as_ref()),
        }
    }

    /// Signs `warrant`.
    #[must_use]
    pub fn sign(&self, warrant: &Warrant) -> Signature {
        let signature = self.pair.sign(&warrant.signed_bytes());
        Signature { approver: self.name.clone(), signature: STANDARD.encode(signature.as_ref()) }
    }
}

impl fmt::Debug for ApproverSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApproverSecret({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::{Field, SeededRng};

    use super::*;

    fn warrant(rng: &dyn Rng) -> Result<Warrant, Box<dyn std::error::Error>> {
        Ok(Warrant {
            id: WarrantId::random(rng),
            incident: 1,
            purpose: "letters".into(),
            caller: "response-1".parse()?,
            domain: Domain::Accounts,
            fields: FieldSet::EMPTY.with(Field::Email),
            records: 10,
            from: "2012-01-15T00:00:00Z".parse()?,
            until: "2012-01-16T00:00:00Z".parse()?,
        })
    }

    #[test]
    fn it_takes_two_people() -> Result<(), Box<dyn std::error::Error>> {
        let rng = SeededRng::new(1);
        let [ann, bob, eve] = ["ann", "bob", "eve"].map(|n| ApproverSecret::generate(n, &rng));
        let approvers = [ann.public(), bob.public()];
        let warrant = warrant(&rng)?;
        let verify = |signatures: Vec<Signature>| {
            SignedWarrant { warrant: warrant.clone(), signatures }.verify(&approvers)
        };

        assert_eq!(
            verify(vec![bob.sign(&warrant), ann.sign(&warrant)]),
            Ok(["ann".into(), "bob".into()])
        );
        assert_eq!(verify(vec![]), Err(BadWarrant::TooFew(0)));
        assert_eq!(
            verify(vec![ann.sign(&warrant), ann.sign(&warrant)]),
            Err(BadWarrant::TooFew(1))
        );
        assert_eq!(
            verify(vec![ann.sign(&warrant), eve.sign(&warrant)]),
            Err(BadWarrant::Unknown("eve".into()))
        );

        let mut wider = warrant.clone();
        wider.records = 24_000_000;
        let stretched = SignedWarrant {
            signatures: vec![ann.sign(&warrant), bob.sign(&warrant)],
            warrant: wider,
        };
        assert_eq!(stretched.verify(&approvers), Err(BadWarrant::Mismatch("ann".into())));
        Ok(())
    }

    #[test]
    fn a_key_survives_its_file() -> Result<(), Box<dyn std::error::Error>> {
        let rng = SeededRng::new(2);
        let ann = ApproverSecret::generate("ann", &rng);
        let again = ApproverSecret::from_text("ann", &ann.to_text())?;
        assert_eq!(again.public(), ann.public());
        assert_eq!(ApproverSecret::from_text("ann", "AAAA").unwrap_err(), BadWarrant::Key);
        Ok(())
    }
}
