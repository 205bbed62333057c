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
        let weights: Vec<_> = config.relays.iter().map(|of| of.weight.min(1_000)).collect();
        let turns = turns(&weights);
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

/// The relays' places in the order of their turns: each as often as it weighs, spread evenly, so that
/// a few connections already go as the weights say.
fn turns(weights: &[u32]) -> Vec<usize> {
    let all: i64 = weights.iter().map(|of| i64::from(*of)).sum();
    let mut credit = vec![0; weights.len()];
    let mut turns = Vec::new();
    for _ in 0..all {
        for (credit, weight) in credit.iter_mut().zip(weights) {
            *credit += i64::from(*weight);
        }
        let Some(place) = (0..credit.len()).rev().max_by_key(|place| credit[*place]) else { break };
        credit[place] -= all;
        turns.push(place);
    }
    turns
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

#[cfg(test)]
mod tests {
    use super::turns;

    #[test]
    fn relays_take_turns_as_they_weigh() {
        assert_eq!(turns(&[1, 1]), [0, 1]);
        assert_eq!(turns(&[4, 1]), [0, 0, 1, 0, 0]);
        assert_eq!(turns(&[0, 2, 1]), [1, 2, 1]);
        assert_eq!(turns(&[0]), [0; 0]);
        let many = turns(&[10, 1, 5]);
        let of = |place| many.iter().filter(|turn| **turn == place).count();
        assert_eq!((of(0), of(1), of(2)), (10, 1, 5));
    }
}
