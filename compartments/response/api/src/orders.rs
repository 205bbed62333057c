//! The state of `keys` as staff see it, and the orders that people sign. `response` passes both on
//! unchanged: `keys` checks the signatures itself.

use cofferdam_core::{Call, Domain, ProblemType, Reseal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{INCIDENT_CLOSED, LETTER_RUNNING, LetterStatus, ORDER_OUTDATED, Voided};

/// Reads the policy in force from `keys`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadPolicy {}

impl Call for ReadPolicy {
    const PATH: &'static str = "/v1/policies/read";
    /// The policy, in the form of the API of `keys`.
    type Answer = serde_json::Value;
}

/// Lists the callers: their grants, their budgets, and their recent use.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListCallers {}

impl Call for ListCallers {
    const PATH: &'static str = "/v1/callers/list";
    /// The callers, in the form of the API of `keys`.
    type Answer = serde_json::Value;
}

/// Lists the epochs of each domain, and the progress of re-sealing.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEpochs {}

impl Call for ListEpochs {
    const PATH: &'static str = "/v1/epochs/list";
    type Answer = Vec<DomainState>;
}

/// The epochs of a domain, and the progress of re-sealing.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DomainState {
    /// The domain of the epochs.
    pub domain: Domain,
    /// The epochs, in the form of the API of `keys`.
    pub epochs: serde_json::Value,
    /// The progress of the domain's compartment; `None` if it does not answer.
    pub reseal: Option<Reseal>,
}

/// Carries out an order that people signed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyOrder {
    /// The order with its signatures.
    pub order: SignedOrder,
}

/// A signed order, in the form of the API of `keys`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "signed", rename_all = "snake_case")]
pub enum SignedOrder {
    /// The next policy: all grants, budgets and approvers.
    Policy(serde_json::Value),
    /// A new epoch, or the end of an old one.
    Epoch(serde_json::Value),
    /// A warrant: it approves a letter's version, or a list of postal addresses.
    Warrant(serde_json::Value),
    /// Everybody's credentials become void, and all sessions end.
    Void(serde_json::Value),
}

/// The result of an order.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "result", rename_all = "snake_case")]
pub enum AppliedOrder {
    /// The policy is in force.
    Policy,
    /// The epoch is changed.
    Epoch,
    /// The letter's version is approved.
    Letter(LetterStatus),
    /// The list of postal addresses is open, under the warrant with this number.
    PaperPost(OpenedPaperPost),
    /// Everybody's credentials are void, and all sessions over.
    Void(Voided),
}

/// A list of postal addresses that two people opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenedPaperPost {
    /// The number of the warrant, for [`ReadPaperPost`](crate::ReadPaperPost).
    pub warrant: String,
}

impl Call for ApplyOrder {
    const PATH: &'static str = "/v1/orders/apply";
    const PROBLEMS: &'static [ProblemType] = &[INCIDENT_CLOSED, LETTER_RUNNING, ORDER_OUTDATED];
    type Answer = AppliedOrder;
}
