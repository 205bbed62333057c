//! Look-up indexes of e-mail addresses: keyed hashes whose key never leaves `keys`.

use cofferdam_core::{Call, CallerName, KeyBytes, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Turns digests of e-mail addresses into look-up indexes. The compartment then notes whom it found
/// by them, before it answers: see [`NoteAddresses`].
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
    /// The number under which the compartment notes whom it found.
    pub ticket: Ticket,
}

/// The number of one look-up, which joins it with the note of whom it found.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Ticket(pub u64);

/// The purpose of a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// The caller looks for the customer with an address.
    Find,
    /// Somebody asked at the caller for a reset code.
    Reset,
    /// Somebody signed in at the caller.
    SignIn,
    /// Somebody opened an account at the caller, or the caller imports customers.
    SignUp,
    /// The caller reports mail.
    Mail,
}

/// Notes whom a compartment found by addresses. The note is on disk before the compartment answers
/// its caller, so that the log names everybody of whom a caller learnt that they are customers. A
/// look-up without a note within a minute is noted as unanswered.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteAddresses {
    /// The caller whom the compartment serves.
    pub caller: CallerName,
    /// The ticket of the look-up.
    pub ticket: Ticket,
    /// The purpose of the look-up.
    pub search: Search,
    /// The customers who were found, ascending, none twice; at most [`MAX_BATCH`](crate::MAX_BATCH).
    /// The list is empty if there was none.
    #[schemars(length(max = crate::MAX_BATCH))]
    pub records: Vec<Record>,
}

impl Call for NoteAddresses {
    const PATH: &'static str = "/v1/addresses/note";
    const COMPACT: bool = true;
    type Answer = ();
}

impl Call for IndexAddresses {
    const PATH: &'static str = "/v1/addresses/index";
    const COMPACT: bool = true;
    type Answer = IndexedAddresses;
}
