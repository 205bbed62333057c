//! What staff see of `keys`, and what two people order there: `response` carries both, as they
//! are, since it alone may command `keys`.

use cofferdam_core::{Call, Domain, Reseal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads something that `keys` keeps, in the form in which its own API gives it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadKeys {
    /// What.
    pub view: KeysView,
}

/// What `keys` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeysView {
    /// The policy in force: a `Policy`.
    Policy,
    /// What each caller may do and did: a list of `CallerStatus`.
    Callers,
    /// The epochs of each domain, and how far the move to the current one is: a list of
    /// [`DomainState`].
    Epochs,
}

impl Call for ReadKeys {
    const PATH: &'static str = "/v1/keys/read";
    type Answer = serde_json::Value;
}

/// The epochs of a domain, and how far its records are moved.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DomainState {
    /// Which domain.
    pub domain: Domain,
    /// Its epochs, as `keys` says: a `DomainEpochs`.
    pub epochs: serde_json::Value,
    /// How far its compartment is; `None` where it does not answer.
    pub reseal: Option<Reseal>,
}

/// Carries an order to `keys`, which checks its two signatures itself.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveOrder {
    /// What kind of order.
    pub kind: OrderKind,
    /// The signed order, in the form of the API of `keys`.
    pub signed: serde_json::Value,
}

/// Kinds of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// The next policy.
    Policy,
    /// A new epoch, or the end of an old one.
    Epoch,
}

impl Call for GiveOrder {
    const PATH: &'static str = "/v1/keys/order";
    type Answer = ();
}
