//! Keys that `response` makes for itself and keeps in files, so that its database alone discloses
//! nothing that they protect.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::Rng;
use cofferdam_wire::{ConfigError, read_secret, write_secret};
use zeroize::Zeroizing;

/// A key that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OwnKeyError {
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

/// Reads the key `name` in `dir`. The first start makes the key.
pub fn own_key(dir: &Path, name: &str, rng: &dyn Rng) -> Result<Zeroizing<[u8; 32]>, OwnKeyError> {
    let file = dir.join(name);
    if !file.exists() {
        let key = Zeroizing::new(rng.bytes::<32>());
        let text = Zeroizing::new(STANDARD.encode(*key));
        std::fs::create_dir_all(dir)
            .map_err(|source| OwnKeyError::Write { path: dir.to_owned(), source })?;
        write_secret(&file, text.as_bytes())?;
    }
    let text = read_secret(&file)?;
    let mut key = Zeroizing::new([0; 32]);
    match STANDARD.decode_slice(text.trim_ascii(), key.as_mut_slice()) {
        Ok(32) => Ok(key),
        _ => Err(OwnKeyError::Form(file)),
    }
}
