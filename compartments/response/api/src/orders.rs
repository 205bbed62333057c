//! The state of `keys` as staff see it, and the orders that people sign. `response` passes both on
//! unchanged: `keys` checks the signatures itself.

use cofferdam_core::{Call, Domain, ProblemType, Reseal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    INCIDENT_CLOSED, IncidentId, LETTER_RUNNING, LetterStatus, NOT_SCOPED, ORDER_OUTDATED, Voided,
};

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

/// Drafts the order that voids the credentials of everybody exposed, by the exposure that was computed
/// last. It takes two signatures, and no limit bounds it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftVoidOrder {
    /// The incident whose exposure names the customers.
    pub incident: IncidentId,
}

/// The customers with a field read or presented.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExposedCustomers {
    /// The customers: a Roaring bitmap in the portable serialisation, in base64.
    pub roaring: String,
}

impl Call for DraftVoidOrder {
    const PATH: &'static str = "/v1/void-orders/draft";
    const PROBLEMS: &'static [ProblemType] = &[NOT_SCOPED];
    type Answer = ExposedCustomers;
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
    /// The credentials of a set of customers become void, and their sessions end.
    VoidSet {
        /// The order, which names the set.
        order: serde_json::Value,
        /// The customers: a Roaring bitmap in the portable serialisation, in base64.
        roaring: String,
    },
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
    /// The credentials of everybody or of a set are void, and their sessions over.
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
