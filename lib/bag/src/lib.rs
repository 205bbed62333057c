//! Bags of evidence: a `BagIt` bag (RFC 8493) whose tag manifest is signed, so that it verifies
//! offline with nothing but the bag and a public key, and whatever was changed is named.
//!
//! May touch: the bag's own directory. Knows nothing of incidents. Called by: the CLI, which
//! exports and verifies evidence.
//!
//! Beside what RFC 8493 asks for stands `signature.txt`: a C2SP signed note over the bag's name
//! and the SHA-256 of `tagmanifest-sha256.txt`. That names every other tag file, among them
//! `manifest-sha256.txt`, which names the payload.

mod manifest;
mod verify;
mod write;

use std::path::PathBuf;

pub use verify::{Fault, Verified, verify};
pub use write::{BagFile, BagWriter, UnsignedBag};

/// The payload's directory.
const DATA: &str = "data";
const DECLARATION: (&str, &str) =
    ("bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
const INFO: &str = "bag-info.txt";
const MANIFEST: &str = "manifest-sha256.txt";
const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
const SIGNATURE: &str = "signature.txt";
/// The first line of what is signed.
const SIGNED: &str = "cofferdam evidence bag v1";

/// Why a bag can't be written or verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BagError {
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A bag, or something else, stands there already.
    #[error("{} is there already; choose another place", .0.display())]
    Exists(PathBuf),
    /// A name that can't stand in a bag.
    #[error("{0:?} can't be the name of a file in a bag")]
    Name(String),
    /// A verifier key is none.
    #[error("{0:?} is no verifier key of a signed note")]
    Key(String),
}

impl BagError {
    fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

/// What is signed: the bag's name, and the hash of its tag manifest.
fn statement(name: &str, tag_manifest: &str) -> String {
    use base64::Engine as _;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, tag_manifest.as_bytes());
    let hash = base64::engine::general_purpose::STANDARD.encode(hash);
    format!("{SIGNED}\n{name}\n{hash}\n")
}
