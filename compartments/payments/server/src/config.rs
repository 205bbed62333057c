//! The configuration file, `payments.toml`.

use std::net::SocketAddr;

use cofferdam_core::CallerName;
use cofferdam_store::Location;
use cofferdam_wire::{LogFormat, TlsFiles};
use serde::{Deserialize, Serialize};

/// `payments.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The certificate that the compartment shows.
    pub tls: TlsFiles,
    /// Its database.
    pub database: Location,
    /// Where `keys` answers: `https://HOST:PORT`.
    pub keys: String,
    /// The one caller that may freeze and count.
    pub controller: CallerName,
    /// How its own log lines look.
    #[serde(default)]
    pub log_format: LogFormat,
}
