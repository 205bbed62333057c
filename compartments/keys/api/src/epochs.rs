//! Epochs: generations of a domain's master key.

use cofferdam_core::{Call, Domain, Epoch, ProblemType, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problems::{EPOCH_OUTDATED, ORDER_REFUSED};
use crate::signed::{Order, Signed};

/// What two people order about a domain's master key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EpochOrder {
    /// Whose master key.
    pub domain: Domain,
    /// What is to be done.
    pub change: EpochChange,
    /// Until when the order may be carried out.
    pub until: Timestamp,
    /// Why one person must do to start an epoch, 10 to 500 characters: it stands in the log, and
    /// rings. An old key is destroyed by two people or not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<String>,
}

/// What is to be done with an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EpochChange {
    /// Make a master key for this epoch, the one after the current; new data is sealed under it,
    /// and the compartment may re-seal its records until this instant.
    Start {
        /// The current epoch plus one, so that the same order starts one epoch only.
        epoch: Epoch,
        /// Until when records may be re-sealed.
        reseal_until: Timestamp,
    },
    /// Destroy the master key of an epoch that is no longer current: what is still sealed under
    /// it stays closed for ever, in backups too.
    Retire {
        /// Which.
        epoch: Epoch,
    },
}

impl Order for EpochOrder {
    const HEADING: &'static str = "epoch v1";

    fn break_glass(&self) -> Option<&str> {
        self.break_glass.as_deref()
    }

    fn until(&self) -> Option<Timestamp> {
        Some(self.until)
    }
}

/// Carries out an order. For the controller, who can't make one up.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeEpoch {
    /// The order, signed by two approvers; by one, when the glass is broken.
    pub order: Signed<EpochOrder>,
}

impl Call for ChangeEpoch {
    const PATH: &'static str = "/v1/epochs/change";
    const PROBLEMS: &'static [ProblemType] = &[ORDER_REFUSED, EPOCH_OUTDATED];
    type Answer = DomainEpochs;
}

/// Reads the epochs of a domain. For its front and the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadEpochs {
    /// Which domain.
    pub domain: Domain,
}

/// The epochs of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DomainEpochs {
    /// The one that new data is sealed under.
    pub current: Epoch,
    /// Those whose master key is there, ascending; the current one is the last.
    pub readable: Vec<Epoch>,
    /// Until when the compartment may re-seal its records.
    pub reseal_until: Option<Timestamp>,
}

impl Call for ReadEpochs {
    const PATH: &'static str = "/v1/epochs/read";
    type Answer = DomainEpochs;
}
