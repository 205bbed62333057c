//! Passwords are hardened, addresses are indexed: keyed hashes whose keys never leave.

use cofferdam_core::{Call, CallerName, KeyBytes, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Asks for the pepper to be applied to password hashes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HardenPasswords {
    /// For whom: where the passwords were typed.
    pub caller: CallerName,
    /// One to [`MAX_BATCH`](crate::MAX_BATCH) hashes.
    #[schemars(length(min = 1, max = crate::MAX_BATCH))]
    pub items: Vec<HardenItem>,
}

/// One password hash to harden.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HardenItem {
    /// Whose password it is said to be; [`Record::NOBODY`], 4294967295, for an unknown
    /// address.
    pub record: Record,
    /// 32 bytes made from the password: Argon2id's output, or a digest of a legacy hash.
    pub hash: KeyBytes,
}

/// The verifiers, in the order of the request: `HMAC-SHA-256(pepper, record ‖ hash)`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct HardenedPasswords {
    /// One verifier an item.
    pub verifiers: Vec<KeyBytes>,
}

impl Call for HardenPasswords {
    const PATH: &'static str = "/v1/passwords/harden";
    const COMPACT: bool = true;
    type Answer = HardenedPasswords;
}

/// Asks for look-up indexes of e-mail addresses.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndexAddresses {
    /// For whom.
    pub caller: CallerName,
    /// SHA-256 of each normalised address: `keys` never sees the address itself.
    #[schemars(length(min = 1, max = crate::MAX_BATCH))]
    pub digests: Vec<KeyBytes>,
}

/// The indexes, in the order of the request: `HMAC-SHA-256(index key, digest)`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct IndexedAddresses {
    /// One index a digest.
    pub indexes: Vec<KeyBytes>,
}

impl Call for IndexAddresses {
    const PATH: &'static str = "/v1/addresses/index";
    const COMPACT: bool = true;
    type Answer = IndexedAddresses;
}
