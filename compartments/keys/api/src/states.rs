//! The state of a domain's compartment: its database, of which there may be older copies.

use std::fmt;

use cofferdam_core::{Call, Domain, StateId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AlarmKind, NodeHash};

/// Checks whether a compartment's state is its newest, and notes how far it is. A compartment calls
/// it at its start, before it serves, and each second afterwards.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckState {
    /// The domain of the compartment.
    pub domain: Domain,
    /// The identity of the state.
    pub state: StateId,
    /// Whether the identity was made just now, because the database had none.
    pub is_new: bool,
    /// The last beat that the database holds. A compartment writes one each second.
    pub beat: Timestamp,
    /// The newest beat that `keys` had told when the compartment read its own. Only an earlier beat
    /// is that of an older copy: another instance may have told a later one meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Timestamp>,
    /// The number behind the last record number that the database holds; 0 for none.
    pub numbers: u32,
    /// The troubles of the compartment, which `keys` rings about.
    #[serde(default)]
    pub troubles: Vec<Trouble>,
    /// The size of each release log's highest checkpoint that the compartment has seen.
    #[serde(default)]
    pub seen: Vec<SeenLog>,
}

/// The number of entries that a compartment has seen of a release log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenLog {
    /// The name of the log.
    #[schemars(extend("examples" = ["keys.shop.example/log"]))]
    pub log: String,
    /// The number of entries.
    pub size: u64,
}

/// A trouble that a compartment can't tell anybody but `keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Trouble {
    /// The database is damaged.
    Damaged {
        /// The fault, as the database names it.
        what: String,
    },
    /// The database can't be written.
    Unwritten {
        /// The error.
        what: String,
    },
    /// A disk has less room than it should have.
    DiskLow {
        /// The directory on the disk.
        dir: String,
        /// The room that is left, in MiB.
        free_mib: u64,
    },
    /// A release log has fewer entries than the compartment has seen, or others.
    LogRewritten {
        /// The numbers of entries, or the two hashes, that disagree.
        what: String,
    },
}

impl Trouble {
    /// The kind of the alarm.
    #[must_use]
    pub const fn alarm(&self) -> AlarmKind {
        match self {
            Self::Damaged { .. } => AlarmKind::Damage,
            Self::Unwritten { .. } | Self::DiskLow { .. } => AlarmKind::Disk,
            Self::LogRewritten { .. } => AlarmKind::WitnessDisagreement,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { what } => write!(f, "the database is damaged: {what}"),
            Self::Unwritten { what } => write!(f, "the database can't be written: {what}"),
            Self::DiskLow { dir, free_mib } => {
                write!(f, "{free_mib} MiB are left on the disk of {dir}")
            }
            Self::LogRewritten { what } => {
                write!(f, "the release log was rewritten or emptied: {what}")
            }
        }
    }
}

impl Call for CheckState {
    const PATH: &'static str = "/v1/states/check";
    type Answer = CheckedState;
}

/// The answer to a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckedState {
    /// The standing of the state.
    pub standing: Standing,
    /// The number behind the last record number that was given out. The next one is not below.
    pub numbers: u32,
    /// The last beat that `keys` knows of the domain's newest state.
    pub beat: Option<Timestamp>,
    /// The log of the instance of `keys` that answers.
    #[serde(default)]
    pub log: Option<LogCheckpoint>,
}

/// The signed state of a release log, and the proof that the log only grew since the compartment saw
/// it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogCheckpoint {
    /// The verifier key of the log (c2sp.org/signed-note). The key's name is the log's.
    pub log_key: String,
    /// The checkpoint as a signed note (C2SP tlog-checkpoint).
    pub note: String,
    /// The consistency proof from the size that the compartment has seen (RFC 6962, section 2.1.2);
    /// empty if it has seen nothing, or this size.
    pub consistency: Vec<NodeHash>,
}

/// The standing of a state against the newest one that `keys` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is the newest state, or the domain's first.
    Newest,
    /// It is an older copy of the newest state.
    Older,
    /// It is empty, although record numbers were given out or the domain has a state.
    Missing,
    /// It is a state that was given up: staff accepted another one since.
    GivenUp,
}

/// Accepts a state that is not the newest, under a new identity. What the newest one held beyond
/// it is lost.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptState {
    /// The domain of the compartment.
    pub domain: Domain,
    /// The new identity.
    pub state: StateId,
    /// The last beat that the database holds.
    pub beat: Timestamp,
    /// The number behind the last record number that the database holds; 0 for none.
    pub numbers: u32,
}

impl Call for AcceptState {
    const PATH: &'static str = "/v1/states/accept";
    type Answer = AcceptedState;
}

/// The answer to an acceptance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AcceptedState {
    /// The number behind the last record number that was given out. The next one is not below.
    pub numbers: u32,
}
