//! Epochs: the generations of a domain's master key.

use cofferdam_core::{Call, Domain, Epoch, ProblemType, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problems::{EPOCH_OUTDATED, ORDER_REFUSED};
use crate::signed::{Order, Signed};

/// An order to change a domain's master key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EpochOrder {
    /// The domain of the master key.
    pub domain: Domain,
    /// The change to make.
    pub change: EpochChange,
    /// The last instant at which the order may be carried out.
    pub until: Timestamp,
    /// The reason why one signature must suffice to start an epoch, 10 to 500 characters. The log
    /// keeps it, and an alarm rings. Destroying an old key always takes two people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["nobody else can be reached, and the host of accounts fell"]))]
    pub break_glass: Option<String>,
}

/// A change of epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EpochChange {
    /// Makes a master key for a new epoch. New data is sealed under it, and the compartment may
    /// re-seal its records.
    Start {
        /// The current epoch plus one. The order starts no other epoch, and starts this one once.
        epoch: Epoch,
        /// The last instant at which records may be re-sealed.
        reseal_until: Timestamp,
    },
    /// Destroys the master key of an epoch that is no longer current. Data that is still sealed
    /// under it stays closed for ever, in backups too.
    Retire {
        /// The number of the epoch.
        epoch: Epoch,
    },
}

impl Order for EpochOrder {
    const HEADING: &'static str = "epoch v1";
    const NAME: &'static str = "an epoch order";

    fn break_glass(&self) -> Option<&str> {
        self.break_glass.as_deref()
    }

    fn until(&self) -> Option<Timestamp> {
        Some(self.until)
    }
}

/// Carries out an epoch order. For the controller, which can't sign one itself.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeEpoch {
    /// The order, signed by two approvers, or by one who breaks the glass.
    pub order: Signed<EpochOrder>,
}

impl Call for ChangeEpoch {
    const PATH: &'static str = "/v1/epochs/change";
    const ONCE: bool = true;
    const PROBLEMS: &'static [ProblemType] = &[ORDER_REFUSED, EPOCH_OUTDATED];
    type Answer = DomainEpochs;
}

/// Reads the epochs of a domain. For the compartment in front of it and for the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadEpochs {
    /// The domain of the epochs.
    pub domain: Domain,
}

/// The epochs of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DomainEpochs {
    /// The epoch under which new data is sealed.
    pub current: Epoch,
    /// The epochs whose master key exists, ascending; the current one is the last.
    pub readable: Vec<Epoch>,
    /// The last instant at which the compartment may re-seal its records.
    pub reseal_until: Option<Timestamp>,
}

impl Call for ReadEpochs {
    const PATH: &'static str = "/v1/epochs/read";
    type Answer = DomainEpochs;
}
