//! Keyed hashes of e-mail addresses. Access logs can name people by address, and the database alone
//! discloses none.

use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{Personal, Rng};
use cofferdam_wire::{ConfigError, read_secret, write_secret};
use zeroize::Zeroizing;

/// Makes keyed hashes of addresses.
#[derive(Debug)]
pub struct AddressIndex(Key);

/// A key that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum AddressIndexError {
    /// The key's file can't be read or written.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// The key's directory can't be created.
    #[error("{}: {source}", path.display())]
    Write {
        /// The path of the directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file holds no key.
    #[error("{} must hold the base64 of 32 bytes", .0.display())]
    Form(PathBuf),
}

impl AddressIndex {
    /// Reads the key in `dir`. The first start makes the key.
    pub fn open(dir: &Path, rng: &dyn Rng) -> Result<Self, AddressIndexError> {
        let file = dir.join("lookup.key");
        if !file.exists() {
            let key = Zeroizing::new(rng.bytes::<32>());
            let text = Zeroizing::new(STANDARD.encode(*key));
            std::fs::create_dir_all(dir)
                .map_err(|source| AddressIndexError::Write { path: dir.to_owned(), source })?;
            write_secret(&file, text.as_bytes())?;
        }
        let text = read_secret(&file)?;
        let mut key = Zeroizing::new([0; 32]);
        match STANDARD.decode_slice(text.trim_ascii(), key.as_mut_slice()) {
            Ok(32) => Ok(Self(Key::new(HMAC_SHA256, key.as_slice()))),
            _ => Err(AddressIndexError::Form(file)),
        }
    }

    /// Hashes an address. Letter case makes no difference.
    pub fn hash(&self, email: &Personal) -> Vec<u8> {
        let plain = Zeroizing::new(email.expose().trim().to_lowercase());
        sign(&self.0, plain.as_bytes()).as_ref().to_vec()
    }
}
