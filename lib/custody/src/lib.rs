//! Custody of a root key: the one secret of a compartment that its database and its backups never
//! hold. It is in a file, in a hardware module, or in shares of people.
//!
//! `keys` seals all its other secrets under its root key; each other compartment makes its half of
//! every key from its own.
//!
//! May touch: the file, the module or the socket that a [`Custody`] names. Called by: `keys`, and the
//! client of `keys` in the other compartments.

mod custodians;
mod hsm;
mod share;

use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{KeyBytes, Rng};
use cofferdam_wire::{ConfigError, read_secret, write_secret};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use custodians::{ShareAnswer, UnsealError, send_share};
pub use hsm::{HsmConfig, HsmError, open_root, seal_root};
pub use share::{BadShare, Share};

/// The custody of the root key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case", deny_unknown_fields)]
pub enum Custody {
    /// A file of mode 0600. It belongs on another volume than the database: a credential of the
    /// service manager, or a mounted secret.
    File {
        /// The path of the file.
        root_key: PathBuf,
    },
    /// An AES key that never leaves a hardware security module.
    Hsm(HsmConfig),
    /// Custodians: people, some of whom must come together at every start.
    Custodians {
        /// The Unix socket at which the starting process takes the shares.
        socket: PathBuf,
    },
}

/// A root key that can't be kept or fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CustodyError {
    /// The file can't be read or written.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// The file does not hold a key.
    #[error("{}: the root key is the base64 of 32 bytes", .0.display())]
    Form(PathBuf),
    /// The hardware module refuses.
    #[error(transparent)]
    Hsm(#[from] HsmError),
    /// The threshold or the number of custodians is out of range.
    #[error("the threshold must be between 2 and the number of custodians, at most 255")]
    Quorum,
    /// Shares of custodians can't be taken.
    #[error(transparent)]
    Custodians(#[from] UnsealError),
    /// The root key does not open a secret.
    #[error(
        "the root key does not open {0}: it is from another ceremony, or the secret was changed"
    )]
    Wrong(String),
}

/// The parts of a new root key that must be kept.
#[derive(Debug, Default)]
pub struct Kept {
    /// The root key as the hardware module sealed it, to be kept with the other secrets.
    pub sealed: Option<Vec<u8>>,
    /// The shares of the custodians, each for one person.
    pub shares: Vec<Share>,
}

/// The number of custodians, and the number of shares that open the root key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quorum {
    /// The number of custodians.
    pub custodians: u8,
    /// The number of custodians who must come together.
    pub threshold: u8,
}

/// The files, directories and ports that a process in a sandbox needs for its custody.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The files and directories to read.
    pub read: Vec<PathBuf>,
    /// The directories to write beneath.
    pub write: Vec<PathBuf>,
    /// The TCP ports to connect to.
    pub connect: Vec<u16>,
}

impl Custody {
    /// The files, directories and ports that [`Custody::open`] needs.
    #[must_use]
    pub fn reach(&self) -> Reach {
        let directory = |file: &Path| match file.parent() {
            Some(directory) if directory != Path::new("") => directory.to_owned(),
            _ => PathBuf::from("."),
        };
        match self {
            Self::File { root_key } => Reach { read: vec![root_key.clone()], ..Reach::default() },
            Self::Custodians { socket } => {
                Reach { write: vec![directory(socket)], ..Reach::default() }
            }
            Self::Hsm(hsm) => Reach {
                read: vec![directory(&hsm.module), hsm.pin_file.clone()],
                write: hsm.library_dirs.clone(),
                connect: hsm.library_ports.clone(),
            },
        }
    }

    /// Puts a new root key into custody.
    pub fn keep(
        &self,
        root: &KeyBytes,
        quorum: Quorum,
        rng: &dyn Rng,
    ) -> Result<Kept, CustodyError> {
        match self {
            Self::File { root_key } => {
                let text = Zeroizing::new(STANDARD.encode(root.expose()));
                write_secret(root_key, text.as_bytes())?;
                Ok(Kept::default())
            }
            Self::Hsm(config) => {
                let pin = read_secret(&config.pin_file)?;
                let sealed = seal_root(config, pin.trim_ascii(), root, rng)?;
                Ok(Kept { sealed: Some(sealed), shares: Vec::new() })
            }
            Self::Custodians { .. } => {
                if !(2..=quorum.custodians).contains(&quorum.threshold) {
                    return Err(CustodyError::Quorum);
                }
                Ok(Kept { sealed: None, shares: share::split(root, quorum, rng) })
            }
        }
    }

    /// The key that a file holds already, if a file keeps it.
    pub fn existing(&self) -> Result<Option<KeyBytes>, CustodyError> {
        match self {
            Self::File { root_key } if root_key.exists() => Ok(Some(read_key(root_key)?)),
            _ => Ok(None),
        }
    }

    /// Fetches the root key. `sealed` is the part that [`Custody::keep`] left with the secrets. If
    /// custodians keep the key, this waits until their shares make a key that is `right`.
    pub async fn open(
        &self,
        sealed: Option<&[u8]>,
        right: &(dyn Fn(&KeyBytes) -> bool + Sync),
    ) -> Result<KeyBytes, CustodyError> {
        match self {
            Self::File { root_key } => read_key(root_key),
            Self::Hsm(config) => {
                let pin = read_secret(&config.pin_file)?;
                let sealed = sealed.unwrap_or_default();
                Ok(open_root(config, pin.trim_ascii(), sealed)?)
            }
            Self::Custodians { socket } => Ok(custodians::collect(socket, right).await?),
        }
    }
}

fn read_key(file: &Path) -> Result<KeyBytes, CustodyError> {
    let text = read_secret(file)?;
    let mut bytes = Zeroizing::new([0; 32]);
    match STANDARD.decode_slice(text.trim_ascii(), bytes.as_mut_slice()) {
        Ok(32) => Ok(KeyBytes::new(*bytes)),
        _ => Err(CustodyError::Form(file.to_owned())),
    }
}

const NONCE: usize = 12;

/// Seals a secret under the root key, bound to the secret's name.
#[must_use]
pub fn seal(root: &KeyBytes, name: &str, secret: &KeyBytes, rng: &dyn Rng) -> Vec<u8> {
    let nonce = rng.bytes::<NONCE>();
    let mut body = Zeroizing::new(secret.expose().to_vec());
    #[expect(clippy::expect_used, reason = "fails only for texts beyond 64 GiB")]
    let tag = aead(root)
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), aad(name), &mut body)
        .expect("32 bytes can be sealed");
    [&nonce, body.as_slice(), tag.as_ref()].concat()
}

/// Opens a secret that [`seal`] sealed for the same name.
#[must_use]
pub fn open(root: &KeyBytes, name: &str, sealed: &[u8]) -> Option<KeyBytes> {
    let (nonce, body) = sealed.split_first_chunk::<NONCE>()?;
    let mut body = Zeroizing::new(body.to_vec());
    let plain = aead(root)
        .open_in_place(Nonce::assume_unique_for_key(*nonce), aad(name), &mut body)
        .ok()?;
    Some(KeyBytes::new((&*plain).try_into().ok()?))
}

fn aead(root: &KeyBytes) -> LessSafeKey {
    #[expect(clippy::expect_used, reason = "the type has the length of an AES-256 key")]
    let key = UnboundKey::new(&AES_256_GCM, root.expose()).expect("a root key has 32 bytes");
    LessSafeKey::new(key)
}

fn aad(name: &str) -> Aad<Vec<u8>> {
    Aad::from([b"cofferdam secret v1\n", name.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use cofferdam_core::SystemRng;

    use super::*;

    #[test]
    fn a_sealed_secret_opens_under_its_name_alone() {
        let root = KeyBytes::new([7; 32]);
        let sealed = seal(&root, "pepper", &KeyBytes::new([1; 32]), &SystemRng);
        assert_eq!(open(&root, "pepper", &sealed).unwrap().expose(), &[1; 32]);
        assert!(open(&root, "index", &sealed).is_none());
        assert!(open(&KeyBytes::new([8; 32]), "pepper", &sealed).is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(open(&root, "pepper", &changed).is_none(), "byte {at}");
        }
        assert!(open(&root, "pepper", &sealed[..20]).is_none());
    }
}
