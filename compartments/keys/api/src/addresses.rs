//! Look-up indexes of e-mail addresses: keyed hashes whose key never leaves `keys`.

use cofferdam_core::{Call, CallerName, KeyBytes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Turns digests of e-mail addresses into look-up indexes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndexAddresses {
    /// The caller whom the compartment serves.
    pub caller: CallerName,
    /// SHA-256 of each normalised address: `keys` never sees the address itself. One to
    /// [`MAX_BATCH`](crate::MAX_BATCH) digests.
    #[schemars(length(min = 1, max = crate::MAX_BATCH))]
    pub digests: Vec<KeyBytes>,
}

/// The look-up indexes of the addresses.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct IndexedAddresses {
    /// The indexes, in the order of the digests: `HMAC-SHA-256(index key, digest)`.
    pub indexes: Vec<KeyBytes>,
}

impl Call for IndexAddresses {
    const PATH: &'static str = "/v1/addresses/index";
    const COMPACT: bool = true;
    type Answer = IndexedAddresses;
}
