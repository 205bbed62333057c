//! The configuration file, `keys.toml`. The grants of the callers are in the [`Policy`], not here.
//!
//! [`Policy`]: keys_api::Policy

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use cofferdam_core::{CallerName, Domain};
use cofferdam_custody::Custody;
use cofferdam_store::{DiskWatch, Location};
use cofferdam_wire::{LogFormat, TlsFiles};
use serde::{Deserialize, Serialize};

use crate::delivery::SinkConfig;

/// The settings of `keys.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The database. Instances that share grants, budgets and warrants share it.
    pub database: Location,
    /// The directory of the release log. Each instance has its own.
    pub log: PathBuf,
    /// The directory to which segments of the log are moved after three months; `None` leaves them
    /// in place. `keys` never deletes a segment.
    #[serde(default)]
    pub log_archive: Option<PathBuf>,
    /// The name of the log in checkpoints, as `keys-1.shop.example/log`.
    pub log_origin: String,
    /// The verifier key of the witness that cosigns checkpoints (c2sp.org/tlog-cosignature).
    #[serde(default)]
    pub witness_key: Option<String>,
    /// The room, in MiB, that each disk should have on which the compartment writes. Below it, an
    /// alarm rings.
    #[serde(default = "DiskWatch::least_free_mib")]
    pub least_free_mib: u64,
    /// The format of log lines.
    #[serde(default)]
    pub log_format: LogFormat,
    /// The one caller that may freeze callers, hand in orders, and read the log and the alarms.
    pub controller: CallerName,
    /// The callers that may read the log and `/metrics`, besides the controller.
    #[serde(default)]
    pub auditors: Vec<CallerName>,
    /// One record number in this many is a decoy.
    #[serde(default = "one_in_ten_thousand")]
    pub decoy_one_in: u32,
    /// The domains that this instance serves. Each has its front: the compartment that may ask for
    /// the domain's keys, on behalf of callers.
    pub fronts: BTreeMap<Domain, CallerName>,
    /// The certificate that the compartment shows.
    pub tls: TlsFiles,
    /// The custody of the root key.
    pub custody: Custody,
    /// The sinks to which alarms go. The controller reads alarms as well.
    #[serde(default)]
    pub alarms: Vec<SinkConfig>,
}

const fn one_in_ten_thousand() -> u32 {
    10_000
}
