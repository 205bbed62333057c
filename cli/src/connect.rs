//! Finding an estate and talking to its compartments.

use std::path::{Path, PathBuf};

use cofferdam_core::CallerName;
use cofferdam_wire::{Client, ConfigError, Identity, IdentityError, TlsFiles, load_config};
use serde::{Deserialize, Serialize};

/// Where an estate's compartments listen, as in `DIR/estate.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    /// `https://localhost:PORT`
    pub keys: String,
    /// `https://localhost:PORT`
    pub accounts: String,
    /// `https://localhost:PORT`
    pub payments: String,
    /// `https://localhost:PORT`
    pub response: String,
    /// Where the notice is served: `http://localhost:PORT`
    pub notice: String,
    /// The mail sink, which mail goes to unless a compartment says otherwise: `HOST:PORT`
    pub relay: String,
}

/// An estate on disk: `DIR/{estate.toml, ca/ca.pem, callers/NAME/{cert,key}.pem, staff/NAME.key}`
/// and a directory for each compartment.
#[derive(Debug, Clone)]
pub struct Estate {
    /// The directory, absolute.
    pub dir: PathBuf,
    /// Where its compartments listen.
    pub addresses: Addresses,
}

/// Why an estate can't be talked to.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No estate stands there.
    #[error("there is no estate in {}: make one with `cofferdam up --dir {}`", .0.display(), .0.display())]
    NoEstate(PathBuf),
    /// The estate has no certificate for this caller.
    #[error("the estate has no certificate for {0}; it has: {1}")]
    NoCaller(CallerName, String),
    /// A file of the estate is damaged.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A certificate is damaged.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl Estate {
    /// Takes the estate in `dir`.
    pub fn open(dir: &Path) -> Result<Self, ConnectError> {
        let file = dir.join("estate.toml");
        if !file.exists() {
            return Err(ConnectError::NoEstate(dir.to_owned()));
        }
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        Ok(Self { addresses: load_config(&file)?, dir })
    }

    /// The identity of a caller of this estate.
    pub fn identity(&self, caller: &CallerName) -> Result<Identity, ConnectError> {
        let callers = self.dir.join("callers");
        let dir = callers.join(caller.as_str());
        if !dir.exists() {
            let mut names: Vec<String> = std::fs::read_dir(&callers)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect();
            names.sort_unstable();
            return Err(ConnectError::NoCaller(caller.clone(), names.join(", ")));
        }
        Ok(Identity::load(&TlsFiles {
            ca: self.dir.join("ca/ca.pem"),
            cert: dir.join("cert.pem"),
            key: dir.join("key.pem"),
        })?)
    }

    /// A client of `accounts` under a caller's identity.
    pub fn accounts(&self, caller: &CallerName) -> Result<Client, ConnectError> {
        Ok(Client::new(&self.addresses.accounts, &self.identity(caller)?))
    }

    /// A client of `payments` under a caller's identity.
    pub fn payments(&self, caller: &CallerName) -> Result<Client, ConnectError> {
        Ok(Client::new(&self.addresses.payments, &self.identity(caller)?))
    }

    /// A client of `keys` under a caller's identity.
    pub fn keys(&self, caller: &CallerName) -> Result<Client, ConnectError> {
        Ok(Client::new(&self.addresses.keys, &self.identity(caller)?))
    }

    /// A client of `response` under a caller's identity.
    pub fn response(&self, caller: &CallerName) -> Result<Client, ConnectError> {
        Ok(Client::new(&self.addresses.response, &self.identity(caller)?))
    }
}
