//! The files of a transparency log: segments with the framed entries of one day each, the hashes of
//! the Merkle tree over all entries, and index files that name the records touched per segment.
//! Tiles and checkpoints follow C2SP tlog-tiles and tlog-checkpoint, so that public tools can
//! verify a log.
//!
//! May touch: the files of a log. Called by: `keys`, which writes the release log; `response`,
//! which keeps a copy in the same form, so that the copy can replace the log; and staff's offline
//! checks.

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

/// The largest entry, in bytes. C2SP tlog-tiles gives the length of an entry 16 bits.
pub const MAX_ENTRY: usize = 65_535;

/// An error of a log's files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlogError {
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file lacks or garbles an entry that was written whole.
    #[error("{}: damaged behind byte {offset}", path.display())]
    Damaged {
        /// The path of the file.
        path: PathBuf,
        /// The offset from which the file was read. The damage lies behind it.
        offset: u64,
    },
    /// An entry can't be decoded for the index.
    #[error(transparent)]
    Entry(#[from] UnreadableEntry),
    /// The files of a log contradict each other: hashes make no tree, segments leave a gap or
    /// overlap, or a value does not fit its place.
    #[error("{}: {what}", path.display())]
    Hashes {
        /// The path of the file.
        path: PathBuf,
        /// The contradiction, for an operator to read.
        what: String,
    },
}

impl cofferdam_core::InternalError for TlogError {}

impl TlogError {
    /// An error of the operating system at `path`.
    #[must_use]
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}
