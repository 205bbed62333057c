//! The configuration file, `response.toml`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use cofferdam_core::CallerName;
use cofferdam_store::{DiskWatch, Location};
use cofferdam_wire::{LogFormat, TlsFiles};
use keys_client::HalfConfig;
use response_letter::Shop;
use response_mailing::{MailingRules, ProviderConfig, RetryConfig};
use serde::{Deserialize, Deserializer, Serialize};

/// The settings of `response.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The address to listen on, for staff.
    pub listen: SocketAddr,
    /// The database of `response`.
    pub database: Location,
    /// The compartment's halves of keys. Without any, keys are those that `keys` releases.
    #[serde(default)]
    pub halves: Vec<HalfConfig>,
    /// The instances of `keys`, each with a log of its own.
    pub keys: Vec<KeysInstance>,
    /// The URLs of the instances of `accounts`: one, or a list.
    #[serde(deserialize_with = "one_or_several")]
    pub accounts: Vec<String>,
    /// The URLs of the instances of `payments`: one, or a list.
    #[serde(deserialize_with = "one_or_several")]
    pub payments: Vec<String>,
    /// The names in the certificates of staff.
    pub staff: Vec<CallerName>,
    /// The directory of the copies of release logs, each in a directory of its own.
    pub log_copy: PathBuf,
    /// The name that cosigns checkpoints, as `response.shop.example`.
    pub witness_name: String,
    /// The key that cosigns checkpoints: 32 random bytes in base64, mode 0600.
    pub witness_key: PathBuf,
    /// The directory of the published notice.
    pub notice_dir: PathBuf,
    /// The address to listen on, for the public, over plain HTTP.
    pub notice_listen: SocketAddr,
    /// The public address of the notice: `http://HOST:PORT`.
    pub notice_url: String,
    /// The proxies in front of the notice, which may name the visitor's address.
    #[serde(default)]
    pub notice_proxies: Vec<IpAddr>,
    /// The staff list: a CSV file with `name`, `email` and `language`, mode 0600.
    #[serde(alias = "staff_roster")]
    pub staff_list: PathBuf,
    /// The settings of sending letters.
    pub letters: LettersConfig,
    /// The room, in MiB, that each disk should have on which the compartment writes. Below it, an
    /// alarm rings.
    #[serde(default = "DiskWatch::least_free_mib")]
    pub least_free_mib: u64,
    /// The format of the compartment's own log lines.
    #[serde(default)]
    pub log_format: LogFormat,
    /// The certificate that the compartment shows, as a server and as a client.
    pub tls: TlsFiles,
    /// The shop, as the sender of letters.
    pub shop: Shop,
}

/// The address and the log of one instance of `keys`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysInstance {
    /// The URL of the instance: `https://HOST:PORT`.
    pub url: String,
    /// The verifier key of the instance's log (c2sp.org/signed-note). The key's name is the log's.
    pub log_key: String,
}

/// The settings of sending letters.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LettersConfig {
    /// The directory of the sending notes, on a disk of this machine. With them, a worker's death
    /// leaves doubts about letters on the wire only.
    pub state: PathBuf,
    /// The directory of the shop's own texts, in the shape of the shipped ones.
    #[serde(default)]
    pub texts: Option<PathBuf>,
    /// Further domains that letters may name.
    #[serde(default)]
    pub domains: Vec<String>,
    /// The domain of the return addresses to which letters bounce. Without it, they bounce to the
    /// sender, unnoticed here.
    #[serde(default)]
    pub return_domain: Option<String>,
    /// The address to listen on for returned mail, by LMTP from the mail server of that domain.
    #[serde(default)]
    pub return_listen: Option<SocketAddr>,
    /// The senders of mail providers' complaints, as `feedback@isp.example`. Only complaints with
    /// their signature (DKIM) count towards a pause, because anybody can write one about a letter
    /// of their own.
    #[serde(default)]
    pub complaints_from: Vec<String>,
    /// The relays that letters are handed to.
    pub relays: Vec<RelayConfig>,
    /// The keys that sign letters here, an RSA key first. Without keys, the relay signs.
    #[serde(default)]
    pub dkim: Vec<DkimConfig>,
    /// The mail providers with settings of their own. All others together count as one provider,
    /// `others`.
    #[serde(default)]
    pub providers: Vec<ProviderConfig>,
    /// The most connections for `others`.
    #[serde(default = "eight_connections")]
    pub connections: u32,
    /// The load of the reset pages above which letters to customers are slowed, in percent of what
    /// the pages can bear. Without it, the letters' pace ignores the load.
    #[serde(default)]
    pub reset_pages_busy: Option<u8>,
    /// The times at which a deferred letter is tried again.
    #[serde(default)]
    pub retry: RetryConfig,
    /// The checks that must pass before a letter starts.
    pub gate: GateConfig,
}

/// A relay, and the way to connect to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayConfig {
    /// The relay's `HOST:PORT`.
    pub address: String,
    /// The encryption of the connection.
    #[serde(default)]
    pub tls: TlsConfig,
    /// The certificates (PEM) that vouch for the relay's own. TLS needs them.
    #[serde(default)]
    pub authority: Option<PathBuf>,
    /// The user name, if the relay asks for one.
    #[serde(default)]
    pub user: Option<String>,
    /// The file with the password, mode 0600.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The relay's share of the letters, relative to the other relays.
    #[serde(default = "weight_of_one")]
    pub weight: u32,
}

/// The encryption of a connection to a relay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsConfig {
    /// No encryption, for a relay on this machine.
    None,
    /// STARTTLS. A relay that does not offer it gets no letters.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Implicit,
}

/// A key that signs letters here (DKIM).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DkimConfig {
    /// The domain that signs: that of the letters' sender, or one above it.
    pub domain: String,
    /// The key's selector.
    pub selector: String,
    /// The key as PKCS#8 PEM, mode 0600.
    pub key_file: PathBuf,
}

/// The gate: the checks that must pass before a letter starts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum GateConfig {
    /// SPF, DKIM, DMARC, reverse DNS and TLS are checked at each start, and DKIM again for each
    /// thousandth letter.
    Checked {
        /// The DNS server to ask; by default the system's.
        #[serde(default)]
        resolver: Option<SocketAddr>,
        /// The addresses from which mail leaves for the world.
        sends_from: Vec<IpAddr>,
        /// The name that the sending host gives in its greeting.
        helo: String,
        /// The key with which the relay signs, if it signs.
        #[serde(default)]
        relay_key: Option<RelayKey>,
    },
    /// The gate checks nothing. Each start of a letter journals the reason.
    Open {
        /// The reason why nothing is checked, as for mail that ends in a sink.
        open_because: String,
    },
}

/// The DKIM key with which a relay signs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayKey {
    /// The domain that signs.
    pub domain: String,
    /// The key's selector.
    pub selector: String,
}

impl LettersConfig {
    /// The settings that the mailing follows.
    #[must_use]
    pub fn rules(&self) -> MailingRules {
        MailingRules {
            providers: self.providers.clone(),
            connections: self.connections,
            retry: self.retry,
            reset_pages_busy: self.reset_pages_busy,
        }
    }
}

/// Reads one URL, or a list of them.
fn one_or_several<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Urls {
        One(String),
        Several(Vec<String>),
    }
    let urls = match Urls::deserialize(from)? {
        Urls::One(url) => vec![url],
        Urls::Several(urls) => urls,
    };
    if urls.is_empty() {
        return Err(serde::de::Error::custom("an empty list of URLs"));
    }
    Ok(urls)
}

const fn weight_of_one() -> u32 {
    1
}

const fn eight_connections() -> u32 {
    8
}
