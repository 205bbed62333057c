//! The proof that a customer is signed in at a caller: a ticket, which `keys` gives for the right
//! password, and the secret of the session, which the customer's browser alone keeps.

use std::collections::BTreeMap;

use cofferdam_core::{Call, CallerName, KeyBytes, Record, Sha256, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The session for which a compartment asks a ticket.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// SHA-256 of the session's secret.
    pub secret: Sha256,
    /// The instant at which the session ends. The ticket ends with it, and after a day at the latest.
    pub until: Timestamp,
}

/// A ticket: the word of `keys` that a customer signed in at a group of callers. Without the secret of
/// the session it opens nothing.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PresenceTicket {
    /// The instant at which `keys` gave it, in whole milliseconds.
    pub given: Timestamp,
    /// The instant from which it is no longer good, in whole milliseconds.
    pub until: Timestamp,
    /// `HMAC-SHA-256(key, record ‖ given ‖ until ‖ SHA-256(secret) ‖ group)`.
    pub mac: KeyBytes,
}

/// The proof that a customer is signed in: the ticket and the secret.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Presence {
    /// The customer who is signed in.
    pub record: Record,
    /// The ticket of the session.
    pub ticket: PresenceTicket,
    /// The secret of the session.
    pub secret: KeyBytes,
}

/// Lists the groups of callers that share sessions, by the policy in force. For compartments.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListGroups {}

impl Call for ListGroups {
    const PATH: &'static str = "/v1/groups/list";
    /// The group of each caller that is in one with others. Any other caller is a group of its own.
    type Answer = BTreeMap<CallerName, CallerName>;
}
