//! Revoking the key of a certificate: the call is the same at `keys`, which keeps the list, and at
//! `response`, which takes it from staff.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Call, CallerName, Reason, Sha256};

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
