//! The files of a transparency log: framed entries in one segment per day, the Merkle tree's hashes
//! over them, and an index file per segment of who touched which records. Tiles and checkpoints
//! follow C2SP tlog-tiles and tlog-checkpoint, so that public tools can verify a log.
//!
//! May touch: the files of a log. Called by: `keys`, which writes the release log; `response`, which
//! keeps a copy in the same form, so that the copy can replace the log; and staff's offline checks.

mod day;
pub mod frames;
pub mod index;
pub mod notes;
mod segments;
mod tiles;
mod tree;

use std::path::{Path, PathBuf};

use cofferdam_index::UnreadableEntry;

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
    /// An entry can't be decoded for the index.
    #[error(transparent)]
    Entry(#[from] UnreadableEntry),
    /// The hashes make no tree.
    #[error("{}: {what}", path.display())]
    Hashes {
        /// The file.
        path: PathBuf,
        /// In what way.
        what: String,
    },
}

impl cofferdam_core::InternalError for TlogError {}

impl TlogError {
    /// The system's error at `path`.
    #[must_use]
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}
