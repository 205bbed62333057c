//! The keys of client certificates that were revoked.

use cofferdam_core::{Call, CallerName, Sha256};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
