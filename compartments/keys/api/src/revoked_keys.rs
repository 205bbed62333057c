//! The keys of client certificates that were revoked.

use cofferdam_core::{Call, CallerName, Reason, Sha256};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Revokes the key of a certificate, for ever. Every compartment refuses it within a second. The
/// caller's name stays as it is: with a new key it is served again.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddRevokedKey {
    /// The caller whose key it is.
    pub caller: CallerName,
    /// The SHA-256 of the public key (its `SubjectPublicKeyInfo`).
    pub key: Sha256,
    /// The reason, without personal data. The release log keeps it.
    pub reason: Reason,
}

impl Call for AddRevokedKey {
    const PATH: &'static str = "/v1/revoked-keys/add";
    type Answer = ();
}

/// Lists every revoked key. For compartments and auditors.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRevokedKeys {}

/// A revoked key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RevokedKey {
    /// The caller whose key it was.
    pub caller: CallerName,
    /// The SHA-256 of the public key.
    pub key: Sha256,
}

impl Call for ListRevokedKeys {
    const PATH: &'static str = "/v1/revoked-keys/list";
    type Answer = Vec<RevokedKey>;
}
