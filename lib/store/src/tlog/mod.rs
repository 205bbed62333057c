//! Files of a transparency log: framed entries in one segment a day, the Merkle tree's hashes
//! over them, and an index of who touched which records. `keys` writes them; `response` keeps a
//! copy in the same form, so that the one can replace the other.

mod day;
pub mod frames;
pub mod index;
pub mod notes;
mod segments;
mod tiles;
mod tree;

use std::path::{Path, PathBuf};

pub use day::Day;
pub use segments::{Scanned, SegmentName, Segments};
pub use tiles::{TilePath, bundle};
pub use tlog_tiles::{Checkpoint, EMPTY_HASH, Hash, check_record, check_tree, record_hash};
pub use tree::{HashFile, replace_file};

/// The most bytes that an entry takes: C2SP tlog-tiles gives its length 16 bits.
pub const MAX_ENTRY: usize = 65_535;

/// Why a log's file can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlogError {
    /// It can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// An entry that was written whole is no longer.
    #[error("{}: damaged behind byte {offset}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The place from which it was read.
        offset: u64,
    },
    /// The hashes make no tree.
    #[error("{}: {what}", path.display())]
    Hashes {
        /// The file.
        path: PathBuf,
        /// In what way.
        what: String,
    },
}

impl TlogError {
    /// The system's error at `path`.
    #[must_use]
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}
