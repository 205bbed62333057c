//! The configuration file, `keys.toml`. Who may do what stands in the [`Policy`], not here.
//!
//! [`Policy`]: keys_api::Policy

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use cofferdam_core::{CallerName, Domain};
use cofferdam_store::Location;
use cofferdam_wire::{LogFormat, TlsFiles};
use serde::{Deserialize, Serialize};

use crate::custody::Custody;
use crate::delivery::SinkConfig;

/// `keys.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Its database; instances that share grants, budgets and warrants share it.
    pub database: Location,
    /// The directory of the release log, of this instance alone.
    pub log: PathBuf,
    /// Where segments of the log go after three months; `None`: they stay. Never deleted by us.
    #[serde(default)]
    pub log_archive: Option<PathBuf>,
    /// The log's name in checkpoints, as `keys-1.shop.example/log`.
    pub log_origin: String,
    /// The verifier key of the witness that cosigns checkpoints (c2sp.org/tlog-cosignature).
    #[serde(default)]
    pub witness_key: Option<String>,
    /// How its own log lines look.
    #[serde(default)]
    pub log_format: LogFormat,
    /// The one caller that may freeze, hand in orders, and read log and alarms.
    pub controller: CallerName,
    /// Who may read the log and `/metrics`, besides the controller.
    #[serde(default)]
    pub auditors: Vec<CallerName>,
    /// One record number in this many is a decoy.
    #[serde(default = "one_in_ten_thousand")]
    pub decoy_one_in: u32,
    /// The domains that this instance serves, each with the compartment that may ask for its
    /// keys, on behalf of the callers it serves.
    pub fronts: BTreeMap<Domain, CallerName>,
    /// The certificate that the compartment shows.
    pub tls: TlsFiles,
    /// Who guards the root key.
    pub custody: Custody,
    /// Where alarms go, besides to the controller who asks for them.
    #[serde(default)]
    pub alarms: Vec<SinkConfig>,
}

const fn one_in_ten_thousand() -> u32 {
    10_000
}
