//! The configuration file, `response.toml`.

use std::net::SocketAddr;
use std::path::PathBuf;

use cofferdam_core::CallerName;
use cofferdam_store::Location;
use cofferdam_wire::{LogFormat, TlsFiles};
use serde::{Deserialize, Serialize};

/// `response.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen for staff.
    pub listen: SocketAddr,
    /// Its database.
    pub database: Location,
    /// The instances of `keys`, each with a log of its own.
    pub keys: Vec<KeysInstance>,
    /// Where `accounts` answers.
    pub accounts: String,
    /// Where `payments` answers.
    pub payments: String,
    /// Who may command: the certificates of staff.
    pub staff: Vec<CallerName>,
    /// The directory of the copied release logs, each in one of its own.
    pub log_copy: PathBuf,
    /// The name under which checkpoints are cosigned, as `response.shop.example`.
    pub witness_name: String,
    /// The key that cosigns checkpoints: 32 random bytes in base64, mode 0600.
    pub witness_key: PathBuf,
    /// The directory of the published notice.
    pub notice_dir: PathBuf,
    /// Where the notice is served over plain HTTP.
    pub notice_listen: SocketAddr,
    /// Where the public finds it: `http://HOST:PORT`.
    pub notice_url: String,
    /// The staff to write to: a CSV file with `name`, `email` and `language`, mode 0600.
    pub staff_roster: PathBuf,
    /// The SMTP relay that letters are handed to: `HOST:PORT`.
    pub relay: String,
    /// How many connections to the relay a letter uses.
    #[serde(default = "four")]
    pub mail_workers: u32,
    /// How its own log lines look.
    #[serde(default)]
    pub log_format: LogFormat,
    /// The certificate that the compartment shows, as a server and as a client.
    pub tls: TlsFiles,
    /// Who writes the letters.
    pub shop: Shop,
}

/// One instance of `keys`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysInstance {
    /// Where it answers: `https://HOST:PORT`.
    pub url: String,
    /// Its log's verifier key (c2sp.org/signed-note), whose name is the log's.
    pub log_key: String,
}

/// The shop, as it appears in letters and on the notice.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// Its name.
    pub name: String,
    /// Its web address, as people type it: `shop.example`.
    pub web_address: String,
    /// Where customers can write.
    pub support_email: String,
    /// The sender of letters.
    pub mail_from: String,
    /// Who signs.
    pub signatory: String,
    /// The title of who signs.
    pub signatory_title: String,
    /// The domain in Message-IDs.
    pub message_id_domain: String,
    /// What else the shop does about an incident, in sentences for letters and notice; only the
    /// shop knows whether they are true.
    #[serde(default)]
    pub measures: String,
    /// Whether law enforcement delayed the notice, as a sentence.
    #[serde(default)]
    pub police_delay: String,
}

const fn four() -> u32 {
    4
}
