//! The configuration file, `accounts.toml`.

use std::net::SocketAddr;

use cofferdam_core::CallerName;
use cofferdam_store::Location;
use cofferdam_wire::{LogFormat, TlsFiles};
use serde::{Deserialize, Serialize};

pub use crate::domain::decoy::MailDomains;

/// `accounts.toml`.
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
    /// The one caller that may void, revoke, freeze, list coarse attributes and read contacts.
    pub controller: CallerName,
    /// The callers that may import customers.
    pub importers: Vec<CallerName>,
    /// The SMTP relay that reset codes go through: `HOST:PORT`.
    pub relay: String,
    /// The sender of reset codes.
    pub mail_from: String,
    /// Mail domains of the shop for the addresses of decoys.
    pub decoy_mail_domains: MailDomains,
    /// How its own log lines look.
    #[serde(default)]
    pub log_format: LogFormat,
}
