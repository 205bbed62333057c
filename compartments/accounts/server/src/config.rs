//! The configuration file, `accounts.toml`.

use std::net::SocketAddr;

use cofferdam_core::{CallerName, Personal};
use cofferdam_store::{DiskWatch, Location};
use cofferdam_wire::{LogFormat, TlsFiles};
use keys_client::HalfConfig;
use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::address;
pub use crate::domain::decoy::MailDomains;

/// The settings of `accounts.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The certificate that the compartment shows.
    pub tls: TlsFiles,
    /// The database of `accounts`.
    pub database: Location,
    /// The compartment's halves of keys. Without any, keys are those that `keys` releases.
    #[serde(default)]
    pub halves: Vec<HalfConfig>,
    /// The instances of `keys`, as `https://HOST:PORT`.
    pub keys: Vec<String>,
    /// The only caller that may void credentials, freeze callers, list customers and read contacts.
    pub controller: CallerName,
    /// The callers that may import customers.
    pub importers: Vec<CallerName>,
    /// The SMTP relay for reset codes, as `HOST:PORT`.
    pub relay: String,
    /// The address that sends reset codes.
    #[serde(deserialize_with = "mail_address")]
    pub mail_from: String,
    /// Mail domains of the shop for the addresses of decoys.
    pub decoy_mail_domains: MailDomains,
    /// The room, in MiB, that each disk should have on which the compartment writes. Below it, an
    /// alarm rings.
    #[serde(default = "DiskWatch::least_free_mib")]
    pub least_free_mib: u64,
    /// About one record in so many is a decoy, as `keys.toml` says: decoys are no customers whom an
    /// order could shut out.
    #[serde(default = "decoy_one_in")]
    pub decoy_one_in: u32,
    /// The format of log lines.
    #[serde(default)]
    pub log_format: LogFormat,
}

const fn decoy_one_in() -> u32 {
    10_000
}

fn mail_address<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if address::is_plausible(&Personal::new(text.as_str())) {
        return Ok(text);
    }
    Err(serde::de::Error::custom("write an e-mail address, as service@shop.example"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "listen = '127.0.0.1:0'
database = 'accounts.db'
keys = ['https://localhost:7001']
controller = 'response-1'
importers = ['import-1']
relay = 'localhost:25'
mail_from = 'service@shop.example'
decoy_mail_domains = ['mailbox.example']
[tls]
ca = 'ca.pem'
cert = 'cert.pem'
key = 'key.pem'
";

    #[test]
    fn an_error_names_the_key() {
        assert!(toml::from_str::<Config>(GOOD).is_ok());
        for (good, bad, word) in [
            ("relay", "rely", "rely"),
            ("'service@shop.example'", "'service'", "mail_from"),
            ("['mailbox.example']", "[]", "decoy_mail_domains"),
            ("'response-1'", "'Response'", "controller"),
        ] {
            let error = toml::from_str::<Config>(&GOOD.replace(good, bad)).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
