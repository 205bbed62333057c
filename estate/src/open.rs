//! An estate on disk, and clients of its compartments.

use std::path::{Path, PathBuf};

use cofferdam_core::CallerName;
use cofferdam_wire::{Client, Identity, TlsFiles, load_config};

use crate::{Addresses, Compartment, EstateError};

/// The file that names an estate's addresses. A directory with this file is an estate.
pub const ADDRESSES: &str = "estate.toml";

/// An estate on disk: `DIR/{estate.toml, ca/ca.pem, callers/NAME/{cert,key}.pem}`, the approvers'
/// keys in `DIR/staff`, and a directory for each compartment.
#[derive(Debug, Clone)]
pub struct Estate {
    /// The absolute path of the directory.
    pub dir: PathBuf,
    /// The addresses of the compartments.
    pub addresses: Addresses,
}

impl Estate {
    /// Opens the estate in `dir`.
    pub fn open(dir: &Path) -> Result<Self, EstateError> {
        if !Self::exists(dir) {
            return Err(EstateError::NoEstate(dir.to_owned()));
        }
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        Ok(Self { addresses: load_config(&dir.join(ADDRESSES))?, dir })
    }

    /// Whether there is an estate in `dir`.
    #[must_use]
    pub fn exists(dir: &Path) -> bool {
        dir.join(ADDRESSES).exists()
    }

    /// A client of a compartment under a caller's certificate.
    pub fn client(&self, of: Compartment, caller: &CallerName) -> Result<Client, EstateError> {
        Ok(Client::new(of, self.addresses.of(of), &self.identity(caller)?))
    }

    /// The identity of a caller.
    pub fn identity(&self, caller: &CallerName) -> Result<Identity, EstateError> {
        let callers = self.dir.join("callers");
        let own = callers.join(caller.as_str());
        if !own.exists() {
            let entries = std::fs::read_dir(&callers).into_iter().flatten().flatten();
            let mut others: Vec<String> =
                entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
            others.sort_unstable();
            return Err(EstateError::NoCaller { caller: caller.clone(), others });
        }
        self.load_identity(&own)
    }

    /// A client of a compartment under the certificate with which another compartment calls it.
    pub fn own_client(&self, of: Compartment, caller: Compartment) -> Result<Client, EstateError> {
        Ok(Client::new(of, self.addresses.of(of), &self.own_identity(caller)?))
    }

    fn own_identity(&self, compartment: Compartment) -> Result<Identity, EstateError> {
        self.load_identity(&self.dir.join(compartment.as_str()).join("tls"))
    }

    fn load_identity(&self, dir: &Path) -> Result<Identity, EstateError> {
        Ok(Identity::load(&TlsFiles {
            ca: self.dir.join("ca/ca.pem"),
            cert: dir.join("cert.pem"),
            key: dir.join("key.pem"),
        })?)
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::{Clock as _, SeededRng, SystemClock};

    use super::*;

    #[test]
    fn a_caller_without_a_certificate_is_told_who_has_one() {
        let dir = tempfile::tempdir().unwrap();
        let missing = Estate::open(dir.path()).unwrap_err().to_string();
        assert!(missing.contains("cofferdam up --dir"), "{missing}");
        crate::make_certificates(dir.path(), SystemClock.now()).unwrap();
        let estate = Estate {
            dir: dir.path().to_owned(),
            addresses: Addresses::pick(&SeededRng::new(1)).unwrap(),
        };
        assert!(estate.identity(&"web-ky-2".parse().unwrap()).is_ok());
        let refused = estate.identity(&"web-ky-3".parse().unwrap()).unwrap_err().to_string();
        assert!(refused.contains("web-ky-3; it has: auditor-1, checkout-1"), "{refused}");
        let own = estate.own_identity(Compartment::Response).unwrap();
        assert_eq!(own.name().as_str(), "response-1");
    }
}
