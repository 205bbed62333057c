//! Orders that two people sign, each with an Ed25519 signature (RFC 8032) over the order's JSON.
//! `keys` checks the signatures itself, so that a compartment which carries an order can't make one
//! up.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{Rng, Timestamp};
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{Decode as _, Encode as _};
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::pkcs5::{pbes2, scrypt};
use pkcs8::{
    AlgorithmIdentifierRef, EncryptedPrivateKeyInfo, LineEnding, ObjectIdentifier, PrivateKeyInfo,
    SecretDocument,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// An order that people sign.
pub trait Order: Serialize {
    /// The words in front of the signed bytes, so that a signature of one kind of order is no
    /// signature of another kind.
    const HEADING: &'static str;

    /// The kind of order, as messages and alarms name it.
    const NAME: &'static str;

    /// Whether one person may give the order. All others need two, or one who breaks the glass.
    const ALONE: bool = false;

    /// The reason why one signature must suffice, if the order breaks the glass.
    fn break_glass(&self) -> Option<&str> {
        None
    }

    /// The last instant at which the order may be carried out, if the order names one.
    fn until(&self) -> Option<Timestamp> {
        None
    }

    /// The bytes that are signed: the heading, then the order as JSON with its keys in the order of
    /// the type.
    fn signed_bytes(&self) -> Vec<u8> {
        let mut out = format!("cofferdam {}\n", Self::HEADING).into_bytes();
        #[expect(clippy::expect_used, reason = "orders hold only strings, numbers and lists")]
        serde_json::to_writer(&mut out, self).expect("an order can be written as JSON");
        out
    }
}

/// An order with its signatures.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Signed{T}")]
pub struct Signed<T> {
    /// The order that was signed.
    pub order: T,
    /// The signatures, by different people. Two are needed; one, for a thaw or to give a budget back.
    pub signatures: Vec<Signature>,
}

/// The signature of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The name of the person in the policy's list of approvers.
    #[schemars(extend("examples" = ["ann"]))]
    pub approver: String,
    /// Ed25519 over [`Order::signed_bytes`], in base64. The bytes are `cofferdam policy v1` (or
    /// `epoch v1`, `warrant v2`, `void v1`, `thaw v1`, `restore v1`), a line feed, and the order as JSON without spaces. The
    /// JSON keys are in the order of the type, and none is left out.
    #[schemars(extend("examples" = [SIGNATURE]))]
    pub signature: String,
}

/// The public key of an approver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproverKey {
    /// The name of the person.
    #[schemars(extend("examples" = ["ann"]))]
    pub name: String,
    /// The Ed25519 public key, in base64.
    #[schemars(extend("examples" = [PUBLIC_KEY]))]
    pub public_key: String,
}

/// A signature of the RFC's first test vector, for the documentation.
const SIGNATURE: &str =
    "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc+bRr0lv18FlbvlFyknpVnl4CCw==";
/// The public key of the same vector.
const PUBLIC_KEY: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// Signatures that do not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadSignature {
    /// Fewer than two people signed.
    #[error("the order needs good signatures of two people and has {0}")]
    TooFew(usize),
    /// A signer is no approver.
    #[error("{0:?} is no approver")]
    Unknown(String),
    /// A signature does not match the order.
    #[error("the signature of {0:?} does not match this order")]
    Mismatch(String),
}

impl<T: Order> Signed<T> {
    /// Checks that two approvers signed exactly this order. Returns their names, sorted.
    pub fn verify(&self, approvers: &[ApproverKey]) -> Result<[String; 2], BadSignature> {
        let mut names = self.signers(approvers)?;
        let good = names.len();
        names.truncate(2);
        <[String; 2]>::try_from(names).map_err(|_| BadSignature::TooFew(good))
    }

    /// The names of the approvers who signed exactly this order, sorted, each once; one or more.
    pub fn signers(&self, approvers: &[ApproverKey]) -> Result<Vec<String>, BadSignature> {
        let message = self.order.signed_bytes();
        let mut names = Vec::new();
        for signature in &self.signatures {
            signature.check(&message, approvers)?;
            names.push(signature.approver.clone());
        }
        names.sort_unstable();
        names.dedup();
        if names.is_empty() { Err(BadSignature::TooFew(0)) } else { Ok(names) }
    }
}

impl Signature {
    /// Checks that the signature is that of the approver with its name, over `message`.
    pub fn check(&self, message: &[u8], approvers: &[ApproverKey]) -> Result<(), BadSignature> {
        let name = &self.approver;
        let mismatch = || BadSignature::Mismatch(name.clone());
        let approver = approvers.iter().find(|approver| &approver.name == name);
        let approver = approver.ok_or_else(|| BadSignature::Unknown(name.clone()))?;
        let key = STANDARD.decode(&approver.public_key).map_err(|_| mismatch())?;
        let bytes = STANDARD.decode(&self.signature).map_err(|_| mismatch())?;
        UnparsedPublicKey::new(&ED25519, key).verify(message, &bytes).map_err(|_| mismatch())
    }
}

/// The signing key of an approver. At rest it is an encrypted PKCS #8 file (RFC 5958, RFC 8018),
/// which `openssl pkey` reads as well.
pub struct ApproverSecret {
    name: String,
    pair: Ed25519KeyPair,
    seed: Zeroizing<[u8; 32]>,
}

/// A key file of an approver that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadApproverKey {
    /// The file is no encrypted PKCS #8 file.
    #[error("the file is no encrypted private key (PKCS #8, PEM): {0}")]
    Form(String),
    /// The passphrase is wrong, or the file was changed.
    #[error("the passphrase does not open the key")]
    Passphrase,
    /// Opening the file would take more memory or time than a file that was made here.
    #[error("the key needs more memory or time to open than any key made here: where is it from?")]
    Costly,
    /// The file holds another kind of key.
    #[error("the file holds no Ed25519 key")]
    Kind,
}

/// id-Ed25519 (RFC 8410, section 3).
const ED25519_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const PEM_LABEL: &str = "ENCRYPTED PRIVATE KEY";

impl ApproverSecret {
    /// Makes a new key for `name`.
    #[must_use]
    pub fn generate(name: &str, rng: &dyn Rng) -> Self {
        #[expect(clippy::expect_used, reason = "any 32 bytes are an Ed25519 seed")]
        Self::from_seed(name, Zeroizing::new(rng.bytes())).expect("32 bytes are a seed")
    }

    /// Writes the key as a PEM file that only `passphrase` opens: scrypt (N = 2^15, r = 8, p = 1)
    /// and AES-256-CBC.
    pub fn to_pem(&self, passphrase: &[u8], rng: &dyn Rng) -> Result<String, BadApproverKey> {
        let form = |e: &dyn fmt::Display| BadApproverKey::Form(e.to_string());
        let inner = OctetStringRef::new(self.seed.as_slice()).and_then(|seed| seed.to_der());
        let inner = Zeroizing::new(inner.map_err(|e| form(&e))?);
        let algorithm = AlgorithmIdentifierRef { oid: ED25519_OID, parameters: None };
        let (salt, iv) = (rng.bytes::<16>(), rng.bytes::<16>());
        let cost = scrypt::Params::new(15, 8, 1, 32).map_err(|e| form(&e))?;
        let scheme = pbes2::Parameters::scrypt_aes256cbc(cost, &salt, &iv).map_err(|e| form(&e))?;
        let document = PrivateKeyInfo::new(algorithm, &inner)
            .encrypt_with_params(scheme, passphrase)
            .map_err(|e| form(&e))?;
        let pem = document.to_pem(PEM_LABEL, LineEnding::LF).map_err(|e| form(&e))?;
        Ok(pem.as_str().to_owned())
    }

    /// Reads a file that [`ApproverSecret::to_pem`] wrote.
    pub fn from_pem(name: &str, pem: &str, passphrase: &[u8]) -> Result<Self, BadApproverKey> {
        let form = |e: &dyn fmt::Display| BadApproverKey::Form(e.to_string());
        let (label, document) = SecretDocument::from_pem(pem).map_err(|e| form(&e))?;
        if label != PEM_LABEL {
            return Err(BadApproverKey::Form(format!("the file is a {label:?}")));
        }
        let info = EncryptedPrivateKeyInfo::try_from(document.as_bytes()).map_err(|e| form(&e))?;
        if !is_affordable(&info) {
            return Err(BadApproverKey::Costly);
        }
        let plain = info.decrypt(passphrase).map_err(|_| BadApproverKey::Passphrase)?;
        let key =
            PrivateKeyInfo::try_from(plain.as_bytes()).map_err(|_| BadApproverKey::Passphrase)?;
        if key.algorithm.oid != ED25519_OID {
            return Err(BadApproverKey::Kind);
        }
        let seed = OctetStringRef::from_der(key.private_key).map_err(|_| BadApproverKey::Kind)?;
        let seed = seed.as_bytes().try_into().map_err(|_| BadApproverKey::Kind)?;
        Self::from_seed(name, Zeroizing::new(seed))
    }

    fn from_seed(name: &str, seed: Zeroizing<[u8; 32]>) -> Result<Self, BadApproverKey> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice())
            .map_err(|_| BadApproverKey::Kind)?;
        Ok(Self { name: name.to_owned(), pair, seed })
    }

    /// The name of the approver.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public half, for the list of approvers.
    #[must_use]
    pub fn public(&self) -> ApproverKey {
        ApproverKey {
            name: self.name.clone(),
            public_key: STANDARD.encode(self.pair.public_key().as_ref()),
        }
    }

    /// Signs `order`.
    #[must_use]
    pub fn sign<T: Order>(&self, order: &T) -> Signature {
        let signature = self.pair.sign(&order.signed_bytes());
        Signature { approver: self.name.clone(), signature: STANDARD.encode(signature.as_ref()) }
    }
}

/// Whether a key file needs at most 256 MiB, or ten million rounds, to open.
fn is_affordable(info: &EncryptedPrivateKeyInfo<'_>) -> bool {
    match info.encryption_algorithm.pbes2().map(|scheme| &scheme.kdf) {
        Some(Kdf::Scrypt(scrypt)) => {
            let bytes = u64::from(scrypt.block_size).saturating_mul(scrypt.cost_parameter) * 128;
            bytes <= 256 << 20 && scrypt.parallelization <= 4
        }
        Some(Kdf::Pbkdf2(pbkdf2)) => pbkdf2.iteration_count <= 10_000_000,
        _ => false,
    }
}

impl fmt::Debug for ApproverSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApproverSecret({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::SeededRng;

    use super::*;

    #[derive(Clone, Serialize)]
    struct Small(u32);

    impl Order for Small {
        const HEADING: &'static str = "small v1";
        const NAME: &'static str = "a small order";
    }

    #[test]
    fn an_order_needs_two_people() {
        let rng = SeededRng::new(1);
        let [ann, bob, eve] =
            ["ann", "bob", "eve"].map(|name| ApproverSecret::generate(name, &rng));
        let approvers = [ann.public(), bob.public()];
        let order = Small(1);
        let verify = |signatures: Vec<Signature>| {
            Signed { order: order.clone(), signatures }.verify(&approvers)
        };

        let both = vec![bob.sign(&order), ann.sign(&order)];
        assert_eq!(verify(both.clone()), Ok(["ann".into(), "bob".into()]));
        assert_eq!(verify(vec![]), Err(BadSignature::TooFew(0)));
        let twice = vec![ann.sign(&order), ann.sign(&order)];
        assert_eq!(verify(twice), Err(BadSignature::TooFew(1)));
        let stranger = vec![ann.sign(&order), eve.sign(&order)];
        assert_eq!(verify(stranger), Err(BadSignature::Unknown("eve".into())));
        let stretched = Signed { order: Small(2), signatures: both };
        assert_eq!(stretched.verify(&approvers), Err(BadSignature::Mismatch("bob".into())));
    }

    #[test]
    fn a_key_file_opens_with_its_passphrase_alone() {
        let rng = SeededRng::new(2);
        let ann = ApproverSecret::generate("ann", &rng);
        let pem = ann.to_pem(b"tide and timber", &rng).unwrap();
        let again = ApproverSecret::from_pem("ann", &pem, b"tide and timber").unwrap();
        assert_eq!(again.public(), ann.public());
        let wrong = ApproverSecret::from_pem("ann", &pem, b"guess").unwrap_err();
        assert_eq!(wrong, BadApproverKey::Passphrase);
        let none = ApproverSecret::from_pem("ann", "AAAA", b"x").unwrap_err();
        assert!(matches!(none, BadApproverKey::Form(_)));
    }
}
