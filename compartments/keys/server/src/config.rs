//! The configuration file, `keys.toml`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use cofferdam_core::{CallerName, Domain, Operation};
use cofferdam_store::Location;
use cofferdam_wire::{LogFormat, TlsFiles};
use keys_api::{ApproverKey, Grant};
use serde::{Deserialize, Serialize};

/// `keys.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The certificate that the compartment shows.
    pub tls: TlsFiles,
    /// Its database.
    pub database: Location,
    /// The directory of its secrets, made by [`ceremony`](crate::ceremony).
    pub secrets: PathBuf,
    /// The directory of the release log.
    pub log: PathBuf,
    /// The log's name in checkpoints, as `keys.shop.example/log`.
    pub log_origin: String,
    /// How its own log lines look.
    #[serde(default)]
    pub log_format: LogFormat,
    /// The one caller that may freeze, open warrants, and read log and alarms.
    pub controller: CallerName,
    /// One record number in this many is a decoy.
    #[serde(default = "one_in_ten_thousand")]
    pub decoy_one_in: u32,
    /// The compartment that may ask for a domain's keys, on behalf of the callers it serves.
    pub fronts: BTreeMap<Domain, CallerName>,
    /// Who may sign warrants.
    pub approvers: Vec<ApproverKey>,
    /// What each caller may do; who is not listed may do nothing.
    pub callers: Vec<CallerConfig>,
}

/// One caller.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallerConfig {
    /// The name in its certificate.
    pub name: CallerName,
    /// What it may do.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// How much of it; an operation without a budget is refused. A front's budget bounds all
    /// its callers together.
    #[serde(default)]
    pub budgets: BTreeMap<Operation, BudgetConfig>,
}

/// At most so many records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetConfig {
    /// In any 60 seconds.
    pub minute: u64,
    /// In any 60 minutes.
    pub hour: u64,
    /// In any 24 hours.
    pub day: u64,
}

const fn one_in_ten_thousand() -> u32 {
    10_000
}
