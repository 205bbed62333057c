//! What sending takes, read once at the start: what is wrong with it shows then.

use std::path::PathBuf;

use cofferdam_core::Personal;
use cofferdam_mail::{DkimError, DkimKey, Outside, Relay, RelayError, RelayTls, ResolverError};
use cofferdam_wire::{ConfigError, read_secret};

use crate::config::{GateConfig, LettersConfig, RelayConfig, TlsConfig};
use crate::domain::identity::LetterKeys;
use crate::domain::letter::{Files, Writer};

/// Relays, keys, and the look from outside.
pub struct MailSetup {
    /// Where letters are handed over.
    pub relays: Vec<Relay>,
    /// The place of a relay, as often as its weight says.
    turns: Vec<usize>,
    /// The keys that sign here.
    pub dkim: Vec<DkimKey>,
    /// The look from outside, where the gate has one.
    pub outside: Option<Outside>,
    /// Codes and return addresses.
    pub keys: LetterKeys,
    /// The texts.
    pub files: Files,
}

/// Why letters can't be sent as configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// There is no relay.
    #[error("[letters] names no relay with a weight; add [[letters.relays]]")]
    NoRelay,
    /// A relay can't be used.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// A relay lacks something.
    #[error("the relay {0}: {1}")]
    Lacks(String, &'static str),
    /// A file can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A secret can't be read.
    #[error(transparent)]
    Secret(#[from] ConfigError),
    /// A signing key can't be used.
    #[error(transparent)]
    Dkim(#[from] DkimError),
    /// Nobody can look from outside.
    #[error(transparent)]
    Resolver(#[from] ResolverError),
    /// Nobody can look up who signed a complaint.
    #[error("letters.complaints_from takes a gate that checks: its resolver says who signed")]
    Complaints,
    /// The texts can't be used.
    #[error("letters: {0}")]
    Texts(String),
}

impl MailSetup {
    /// Reads what the configuration names.
    pub fn open(config: &LettersConfig, keys: LetterKeys) -> Result<Self, SetupError> {
        let relays = config.relays.iter().map(relay).collect::<Result<Vec<_>, _>>()?;
        let turns: Vec<_> = config
            .relays
            .iter()
            .enumerate()
            .flat_map(|(place, of)| std::iter::repeat_n(place, of.weight.min(1_000) as usize))
            .collect();
        if turns.is_empty() {
            return Err(SetupError::NoRelay);
        }
        let mut dkim = Vec::with_capacity(config.dkim.len());
        for of in &config.dkim {
            let pem = read_secret(&of.key_file)?;
            dkim.push(DkimKey::from_pem(&of.domain, &of.selector, &pem, &of.key_file)?);
        }
        let outside = match &config.gate {
            GateConfig::Checked { resolver, .. } => Some(Outside::new(*resolver)?),
            GateConfig::Open { .. } => None,
        };
        if outside.is_none() && !config.complaints_from.is_empty() {
            return Err(SetupError::Complaints);
        }
        let files = match &config.texts {
            None => Files::shipped(),
            Some(dir) => Files::load(dir).map_err(|e| SetupError::Texts(e.to_string()))?,
        };
        check_texts(&files)?;
        Ok(Self { relays, turns, dkim, outside, keys, files })
    }

    /// The relay whose turn it is.
    #[must_use]
    pub fn relay(&self, turn: usize) -> &Relay {
        &self.relays[self.turns[turn % self.turns.len()]]
    }
}

/// Every template parses, and every word is there.
fn check_texts(files: &Files) -> Result<(), SetupError> {
    for audience in [response_api::Audience::Staff, response_api::Audience::Customers] {
        Writer::check(files, audience).map_err(|e| SetupError::Texts(e.to_string()))?;
    }
    Ok(())
}

fn relay(config: &RelayConfig) -> Result<Relay, SetupError> {
    let lacks = |what| SetupError::Lacks(config.address.clone(), what);
    let tls = match config.tls {
        TlsConfig::None => return plain(config),
        TlsConfig::StartTls => RelayTls::StartTls,
        TlsConfig::Implicit => RelayTls::Implicit,
    };
    let path = config.authority.as_ref();
    let path =
        path.ok_or_else(|| lacks("TLS takes `authority`, the certificates to check with"))?;
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

fn plain(config: &RelayConfig) -> Result<Relay, SetupError> {
    if config.user.is_some() || config.password_file.is_some() {
        return Err(RelayError::Exposed(config.address.clone()).into());
    }
    Ok(Relay::plain(config.address.as_str()))
}
