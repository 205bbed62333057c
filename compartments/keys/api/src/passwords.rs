//! Password verifiers: keyed hashes whose key, the pepper, never leaves `keys`.

use cofferdam_core::{Call, CallerName, KeyBytes, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::addresses::Ticket;

/// Applies the pepper to password hashes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HardenPasswords {
    /// The caller at which the passwords were typed.
    pub caller: CallerName,
    /// The hashes, one to [`MAX_BATCH`](crate::MAX_BATCH).
    #[schemars(length(min = 1, max = crate::MAX_BATCH))]
    pub items: Vec<HardenItem>,
    /// At a sign-in, the ticket of the look-up that found the customers: then no
    /// [`NoteAddresses`](crate::NoteAddresses) is needed.
    #[serde(default)]
    pub looked_up: Option<Ticket>,
}

/// A password hash to harden.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HardenItem {
    /// The customer whose password was typed; for an unknown address [`Record::NOBODY`], which is
    /// 4294967295.
    pub record: Record,
    /// 32 bytes made from the password: the output of Argon2id, or a digest of a legacy hash.
    pub hash: KeyBytes,
}

/// The verifiers of the password hashes.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct HardenedPasswords {
    /// The verifiers, in the order of the hashes: `HMAC-SHA-256(pepper, record ‖ hash)`.
    pub verifiers: Vec<KeyBytes>,
}

impl Call for HardenPasswords {
    const PATH: &'static str = "/v1/passwords/harden";
    const COMPACT: bool = true;
    type Answer = HardenedPasswords;
}
