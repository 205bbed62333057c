//! Revoking the key of a certificate: the call is the same at `keys`, which keeps the list, and at
//! `response`, which takes it from staff.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Call, CallerName, ProblemType, Reason};

/// The compartment has no newer certificate than the one whose key is to be revoked.
pub const NO_NEWER_KEY: ProblemType =
    ProblemType::new("no-newer-key", 409, "The compartment has no newer key");

/// A certificate (RFC 5280), and those between it and the authority. In JSON: each as the base64 of its
/// DER.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
#[schemars(extend("minItems" = 1, "maxItems" = 8))]
pub struct CertificateChain(#[schemars(with = "Vec<String>")] Vec<Vec<u8>>);

/// A list of certificates can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadChain {
    /// It is empty, or longer than any chain.
    #[error("a chain has 1 to 8 certificates")]
    Length,
    /// A certificate is no base64.
    #[error("a certificate is the base64 of its DER")]
    Base64,
}

impl CertificateChain {
    /// Takes certificates in DER, the caller's own first.
    pub fn new(certificates: Vec<Vec<u8>>) -> Result<Self, BadChain> {
        let fits = (1..=8).contains(&certificates.len());
        fits.then_some(Self(certificates)).ok_or(BadChain::Length)
    }

    /// The certificates in DER, the caller's own first.
    #[must_use]
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.0
    }
}

impl TryFrom<Vec<String>> for CertificateChain {
    type Error = BadChain;

    fn try_from(texts: Vec<String>) -> Result<Self, BadChain> {
        let decoded = texts.iter().map(|text| STANDARD.decode(text));
        Self::new(decoded.collect::<Result<_, _>>().map_err(|_| BadChain::Base64)?)
    }
}

impl From<CertificateChain> for Vec<String> {
    fn from(chain: CertificateChain) -> Self {
        chain.0.iter().map(|der| STANDARD.encode(der)).collect()
    }
}

/// Revokes the key of a certificate, for ever. Every compartment refuses it within a second. The
/// caller's name stays as it is: with a new key it is served again.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddRevokedKey {
    /// The caller whose key it is.
    pub caller: CallerName,
    /// The certificate that has the key. It shows whose the key is.
    pub certificate: CertificateChain,
    /// The certificate that takes its place. A compartment's key is revoked only once there is a newer
    /// one: without any, the estate would stand still.
    pub newer: Option<CertificateChain>,
    /// The reason, without personal data. The release log keeps it.
    pub reason: Reason,
}

impl Call for AddRevokedKey {
    const PATH: &'static str = "/v1/revoked-keys/add";
    const PROBLEMS: &'static [ProblemType] = &[NO_NEWER_KEY];
    type Answer = ();
}
