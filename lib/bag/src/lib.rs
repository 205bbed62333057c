//! Bags of evidence: `BagIt` bags (RFC 8493) with a signed tag manifest. Anybody can verify a bag
//! offline with a public key, and verification names every file that was changed.
//!
//! May touch: the bag's own directory. Knows nothing of incidents. Called by: the CLI, which
//! exports and verifies evidence.
//!
//! A bag has one file beyond RFC 8493, `signature.txt`: a C2SP signed note over the bag's name and
//! the SHA-256 of `tagmanifest-sha256.txt`. The tag manifest lists all other tag files, including
//! `manifest-sha256.txt`. The manifest lists the payload.

mod manifest;
mod verify;
mod write;

use std::path::PathBuf;

pub use verify::{Fault, Verified, verify};
pub use write::{BagFile, BagWriter, UnsignedBag};

/// The directory of the payload.
const DATA: &str = "data";
const DECLARATION: (&str, &str) =
    ("bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
const INFO: &str = "bag-info.txt";
const MANIFEST: &str = "manifest-sha256.txt";
const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
const SIGNATURE: &str = "signature.txt";
/// The first line of a signed statement. It keeps the signature from passing for that of another
/// kind of note.
const SIGNED: &str = "cofferdam evidence bag v1";

/// A bag can't be written, or verification can't begin. Faults of a bag are [`Fault`]s.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BagError {
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The place of a new bag is taken.
    #[error("{} is there already; choose another place", .0.display())]
    Exists(PathBuf),
    /// A bag or a file in it can't have this name.
    #[error("{0:?} can't be the name of a file in a bag")]
    Name(String),
    /// The given key is not a verifier key.
    #[error("{0:?} is not a verifier key of a signed note")]
    Key(String),
}

impl BagError {
    fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

/// The statement that a signer signs: the bag's name and the hash of the tag manifest.
fn statement(name: &str, tag_manifest: &str) -> String {
    use base64::Engine as _;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, tag_manifest.as_bytes());
    let hash = base64::engine::general_purpose::STANDARD.encode(hash);
    format!("{SIGNED}\n{name}\n{hash}\n")
}
