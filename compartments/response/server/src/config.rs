//! The configuration file, `response.toml`.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use cofferdam_core::CallerName;
use cofferdam_store::Location;
use cofferdam_wire::{LogFormat, TlsFiles};
use serde::{Deserialize, Serialize};

pub use crate::domain::governor::ProviderConfig;

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
    /// The proxies in front of it, whose word counts on who asks.
    #[serde(default)]
    pub notice_proxies: Vec<IpAddr>,
    /// The staff to write to: a CSV file with `name`, `email` and `language`, mode 0600.
    pub staff_roster: PathBuf,
    /// How letters are sent.
    pub letters: LettersConfig,
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
    /// Where a letter is checked, as people type it: `shop.example/verify`.
    pub verify_address: String,
    /// What else the shop does about an incident, in sentences for letters and notice, by language;
    /// only the shop knows whether they are true.
    #[serde(default)]
    pub measures: BTreeMap<String, String>,
    /// Whether law enforcement delayed the notice, as a sentence, by language.
    #[serde(default)]
    pub police_delay: BTreeMap<String, String>,
}

/// How letters are sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LettersConfig {
    /// The directory in which a worker notes what it sends, letter by letter, so that its death
    /// leaves no doubt but about what was on the wire. On a disk of this machine.
    pub state: PathBuf,
    /// The shop's own texts, in the shape of those that are shipped.
    #[serde(default)]
    pub texts: Option<PathBuf>,
    /// Further domains that letters may name.
    #[serde(default)]
    pub domains: Vec<String>,
    /// The domain to whose addresses letters come back; without it they come back to the sender,
    /// and nobody here hears of it.
    #[serde(default)]
    pub return_domain: Option<String>,
    /// Where what comes back is taken in, by LMTP from the mail server of that domain.
    #[serde(default)]
    pub return_listen: Option<SocketAddr>,
    /// The senders of mail providers' complaints, as `feedback@isp.example`: only what they sign
    /// (DKIM) counts towards a pause, since everybody can write the like about a letter of one's own.
    #[serde(default)]
    pub complaints_from: Vec<String>,
    /// Where letters are handed over.
    pub relays: Vec<RelayConfig>,
    /// The keys that sign letters here, an RSA key first; none where the relay signs.
    #[serde(default)]
    pub dkim: Vec<DkimConfig>,
    /// Mail providers that are known; everybody else is one more, `others`.
    #[serde(default)]
    pub providers: Vec<ProviderConfig>,
    /// Connections for `others`.
    #[serde(default = "eight")]
    pub connections: u32,
    /// How busy the pages on which customers set new passwords may get, in percent of what they
    /// can do: past that, letters to customers are slowed down. Not tied to them without it.
    #[serde(default)]
    pub reset_pages_busy: Option<u8>,
    /// When what was put off is tried again.
    #[serde(default)]
    pub retry: RetryConfig,
    /// What must hold before a letter starts.
    pub gate: GateConfig,
}

/// A relay.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayConfig {
    /// `HOST:PORT`
    pub address: String,
    /// How the way there is encrypted.
    #[serde(default)]
    pub tls: TlsConfig,
    /// The certificates (PEM) that the relay's is checked against; needed with TLS.
    #[serde(default)]
    pub authority: Option<PathBuf>,
    /// The user name, where the relay asks for one.
    #[serde(default)]
    pub user: Option<String>,
    /// The file with the password, mode 0600.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// How much of the letters it gets, against the others.
    #[serde(default = "one")]
    pub weight: u32,
}

/// How the way to a relay is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsConfig {
    /// Not at all: for a relay on this machine.
    None,
    /// By STARTTLS; a relay without it gets nothing.
    #[default]
    StartTls,
    /// From the first byte.
    Implicit,
}

/// A DKIM key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DkimConfig {
    /// The domain that signs.
    pub domain: String,
    /// Which of its keys this is.
    pub selector: String,
    /// The key as PKCS#8 PEM, mode 0600.
    pub key_file: PathBuf,
}

/// When what was put off is tried again.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryConfig {
    /// Seconds until the second attempt; each further pause is twice as long.
    pub first: u32,
    /// Seconds between attempts at most.
    pub most: u32,
    /// How many attempts at most.
    pub attempts: u16,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self { first: 300, most: 4 * 3_600, attempts: 20 }
    }
}

/// What must hold before a letter starts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum GateConfig {
    /// SPF, DKIM, DMARC, reverse DNS and TLS are checked at each start, and DKIM again for each
    /// thousandth letter.
    Checked {
        /// The DNS server to ask; the system's without it.
        #[serde(default)]
        resolver: Option<SocketAddr>,
        /// The addresses from which mail leaves for the world.
        sends_from: Vec<IpAddr>,
        /// What the sending host calls itself.
        helo: String,
        /// The key with which the relay signs, where it does.
        #[serde(default)]
        relay_key: Option<RelayKey>,
    },
    /// Nothing is checked; the reason is journalled at each start.
    Open {
        /// Why, as for mail that ends in a sink.
        open_because: String,
    },
}

/// The key with which a relay signs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayKey {
    /// The domain that signs.
    pub domain: String,
    /// Which of its keys.
    pub selector: String,
}

const fn one() -> u32 {
    1
}

const fn eight() -> u32 {
    8
}
