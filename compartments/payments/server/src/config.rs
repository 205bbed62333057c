//! The configuration file, `payments.toml`.

use std::net::SocketAddr;

use cofferdam_core::CallerName;
use cofferdam_store::{DiskWatch, Location};
use cofferdam_wire::{LogFormat, TlsFiles};
use keys_client::HalfConfig;
use serde::{Deserialize, Serialize};

/// The settings of `payments.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The certificate that the compartment shows.
    pub tls: TlsFiles,
    /// The database of `payments`.
    pub database: Location,
    /// The compartment's halves of keys. Without any, keys are those that `keys` releases.
    #[serde(default)]
    pub halves: Vec<HalfConfig>,
    /// The instances of `keys`, as `https://HOST:PORT`.
    pub keys: Vec<String>,
    /// The only caller that may freeze callers and count cards.
    pub controller: CallerName,
    /// The room, in MiB, that each disk should have on which the compartment writes. Below it, an
    /// alarm rings.
    #[serde(default = "DiskWatch::least_free_mib")]
    pub least_free_mib: u64,
    /// The format of log lines.
    #[serde(default)]
    pub log_format: LogFormat,
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "listen = '127.0.0.1:0'
database = 'payments.db'
keys = ['https://localhost:7001']
controller = 'response-1'
[tls]
ca = 'ca.pem'
cert = 'cert.pem'
key = 'key.pem'
";

    #[test]
    fn an_error_names_the_key() {
        assert!(toml::from_str::<Config>(GOOD).is_ok());
        for (good, bad, word) in [
            ("keys", "kyes", "kyes"),
            ("'response-1'", "'Response'", "controller"),
            ("'127.0.0.1:0'", "'here'", "listen"),
        ] {
            let error = toml::from_str::<Config>(&GOOD.replace(good, bad)).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
