//! Reads everything that sending needs at the start, so that faults of the configuration show then.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cofferdam_core::Personal;
use cofferdam_mail::{DkimError, DkimKey, Outside, Relay, RelayError, RelayTls, ResolverError};
use cofferdam_wire::{ConfigError, read_secret};
use response_api::Audience;
use response_letter::{Files, LetterCodes, Writer};
use response_mailing::Composer;

use super::receivers::DnsReceivers;
use super::relay::WeightedRelays;
use crate::Config;
use crate::config::{GateConfig, LettersConfig, RelayConfig, TlsConfig};

/// Everything that sending needs.
pub struct MailSetup {
    /// The relays with their weights.
    pub relays: WeightedRelays,
    /// The maker of messages.
    pub composer: Composer,
    /// The receivers' view; `None` if the gate is open.
    pub receivers: Option<DnsReceivers>,
    /// The files of the letters' texts.
    pub files: Files,
}

/// A configuration with which letters can't be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// No relay has a weight.
    #[error("[letters] names no relay with a weight; add [[letters.relays]]")]
    NoRelay,
    /// A relay can't be used.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// A relay lacks a setting.
    #[error("the relay {0}: {1}")]
    Lacks(String, &'static str),
    /// A file can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The path of the file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A secret can't be read.
    #[error(transparent)]
    Secret(#[from] ConfigError),
    /// A key that signs letters can't be used.
    #[error(transparent)]
    Dkim(#[from] DkimError),
    /// The resolver can't be used.
    #[error(transparent)]
    Resolver(#[from] ResolverError),
    /// Complaints need a resolver that looks up their signers, and the gate has none.
    #[error("letters.complaints_from needs a gate that checks: its resolver finds their signers")]
    Complaints,
    /// The texts of letters can't be used.
    #[error("letters: {0}")]
    Texts(String),
}

impl MailSetup {
    /// Reads the files that the configuration names. `name` is our own name in greetings to relays.
    pub fn open(config: &Config, codes: LetterCodes, name: &str) -> Result<Self, SetupError> {
        let letters = &config.letters;
        let relays = letters.relays.iter().map(relay).collect::<Result<Vec<_>, _>>()?;
        let weights: Vec<_> = letters.relays.iter().map(|relay| relay.weight.min(1_000)).collect();
        let relays = WeightedRelays::new(relays, &weights, name.to_owned());
        let dkim = dkim_keys(letters)?;
        let receivers = receivers(letters, dkim.len())?;
        if receivers.is_none() && !letters.complaints_from.is_empty() {
            return Err(SetupError::Complaints);
        }
        let files = match &letters.texts {
            None => Files::shipped(),
            Some(dir) => Files::shipped().with(read_texts(dir)?),
        };
        check_texts(&files)?;
        let (shop, return_domain) = (config.shop.clone(), letters.return_domain.clone());
        let composer = Composer { shop, codes, dkim, return_domain };
        Ok(Self { relays: relays.ok_or(SetupError::NoRelay)?, composer, receivers, files })
    }
}

fn dkim_keys(config: &LettersConfig) -> Result<Vec<DkimKey>, SetupError> {
    let key = |dkim: &crate::DkimConfig| {
        let pem = read_secret(&dkim.key_file)?;
        Ok(DkimKey::from_pem(&dkim.domain, &dkim.selector, &pem, &dkim.key_file)?)
    };
    config.dkim.iter().map(key).collect()
}

fn receivers(
    config: &LettersConfig,
    signatures: usize,
) -> Result<Option<DnsReceivers>, SetupError> {
    match &config.gate {
        GateConfig::Checked { resolver, .. } => {
            Ok(Some(DnsReceivers { outside: Outside::new(*resolver)?, signatures }))
        }
        GateConfig::Open { .. } => Ok(None),
    }
}

/// The shop's own texts by their paths, from a directory of the shape of the shipped one.
fn read_texts(dir: &Path) -> Result<BTreeMap<String, String>, SetupError> {
    let mut texts = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(at) = dirs.pop() {
        let failed = |source| SetupError::Read { path: at.clone(), source };
        for entry in std::fs::read_dir(&at).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let failed = |source| SetupError::Read { path: path.clone(), source };
            let text = std::fs::read_to_string(&path).map_err(failed)?;
            let name = path.strip_prefix(dir).unwrap_or(&path).display().to_string();
            texts.insert(name, text);
        }
    }
    Ok(texts)
}

/// Checks that every template parses, and that no word is missing.
fn check_texts(files: &Files) -> Result<(), SetupError> {
    for audience in [Audience::Staff, Audience::Customers] {
        Writer::check(files, audience).map_err(|e| SetupError::Texts(e.to_string()))?;
    }
    Ok(())
}

fn relay(config: &RelayConfig) -> Result<Relay, SetupError> {
    let lacks = |what| SetupError::Lacks(config.address.clone(), what);
    let tls = match config.tls {
        TlsConfig::None => return plain_relay(config),
        TlsConfig::StartTls => RelayTls::StartTls,
        TlsConfig::Implicit => RelayTls::Implicit,
    };
    let path = config.authority.as_ref();
    let path = path
        .ok_or_else(|| lacks("TLS needs `authority`, the certificates that vouch for the relay"))?;
    let authority =
        std::fs::read(path).map_err(|source| SetupError::Read { path: path.clone(), source })?;
    let relay = Relay::encrypted(&config.address, tls, &authority)?;
    match (&config.user, &config.password_file) {
        (None, None) => Ok(relay),
        (Some(user), Some(file)) => {
            let secret = read_secret(file)?;
            let password = String::from_utf8_lossy(&secret).trim_end().to_owned();
            Ok(relay.with_login(Personal::new(user.as_str()), Personal::new(password))?)
        }
        _ => Err(lacks("`user` and `password_file` belong together")),
    }
}

fn plain_relay(config: &RelayConfig) -> Result<Relay, SetupError> {
    if config.user.is_some() || config.password_file.is_some() {
        return Err(RelayError::Exposed(config.address.clone()).into());
    }
    Ok(Relay::plain(config.address.as_str()))
}
