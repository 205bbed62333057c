//! The hashes of a log's Merkle tree, on disk.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tlog_tiles::{
    Error, Hash, HashReader, prove_record, prove_tree, record_hash, stored_hash_count,
    stored_hash_index, stored_hashes_for_record_hash, tree_hash,
};

use super::TlogError;

/// The length of a SHA-256 hash, in bytes.
const HASH: u64 = 32;

/// The `hashes` file: the stored hashes of the RFC 6962 tree in the order of Go's `tlog` package.
/// The file is a cache that can be rebuilt from the entries.
#[derive(Debug)]
pub struct HashFile {
    file: File,
    path: PathBuf,
}

impl HashFile {
    /// Opens the file and creates a missing one.
    pub fn open(path: PathBuf) -> Result<Self, TlogError> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| TlogError::io(&path, e))?;
        Ok(Self { file, path })
    }

    /// Adds the hashes of entries that follow a tree of `size` entries. The file is a cache, so it
    /// is not synced.
    pub fn append<'a>(
        &self,
        size: u64,
        entries: impl Iterator<Item = &'a [u8]>,
    ) -> Result<(), TlogError> {
        let first = stored_hash_count(size);
        let mut pending = Pending { file: self, first, new: Vec::new() };
        for (n, entry) in (size..).zip(entries) {
            let hashes = stored_hashes_for_record_hash(n, record_hash(entry), &pending)
                .map_err(|e| self.broken(&e))?;
            pending.new.extend(hashes);
        }
        let bytes: Vec<u8> = pending.new.iter().flat_map(|hash| hash.0).collect();
        self.file.write_all_at(&bytes, first * HASH).map_err(|e| TlogError::io(&self.path, e))
    }

    /// Cuts the file to the hashes of a tree of `size` entries.
    pub fn truncate(&self, size: u64) -> Result<(), TlogError> {
        self.file.set_len(stored_hash_count(size) * HASH).map_err(|e| TlogError::io(&self.path, e))
    }

    /// The root hash of the tree of the first `size` entries.
    pub fn root(&self, size: u64) -> Result<Hash, TlogError> {
        tree_hash(size, self).map_err(|e| self.broken(&e))
    }

    /// The consistency proof from the tree of `since` entries to the tree of `size` entries.
    pub fn consistency(&self, since: u64, size: u64) -> Result<Vec<Hash>, TlogError> {
        prove_tree(size, since, self).map_err(|e| self.broken(&e))
    }

    /// The inclusion proof of entry `index` in the tree of `size` entries.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, TlogError> {
        prove_record(size, index, self).map_err(|e| self.broken(&e))
    }

    /// The leaf hash of entry `index`.
    pub fn leaf(&self, index: u64) -> Result<Hash, TlogError> {
        let read = self.read_hashes(&[stored_hash_index(0, index)]);
        read.map(|hashes| hashes[0]).map_err(|e| self.broken(&e))
    }

    /// Whether the file is long enough for the hashes of a tree of `size` entries.
    #[must_use]
    pub fn reaches(&self, size: u64) -> bool {
        let bytes = self.file.metadata().map_or(0, |metadata| metadata.len());
        bytes >= stored_hash_count(size) * HASH
    }

    pub(super) fn broken(&self, error: &Error) -> TlogError {
        TlogError::Hashes { path: self.path.clone(), what: error.to_string() }
    }
}

impl HashReader for HashFile {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let read = |index: &u64| {
            let mut hash = [0; 32];
            self.file
                .read_exact_at(&mut hash, index * HASH)
                .map(|()| Hash(hash))
                .map_err(|e| Error::InvalidInput(format!("hash {index} can't be read: {e}")))
        };
        indexes.iter().map(read).collect()
    }
}

/// The hashes in the file, followed by new hashes that are not written yet.
struct Pending<'a> {
    file: &'a HashFile,
    first: u64,
    new: Vec<Hash>,
}

impl HashReader for Pending<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let read = |index: &u64| match index.checked_sub(self.first) {
            Some(place) => usize::try_from(place)
                .ok()
                .and_then(|place| self.new.get(place).copied())
                .ok_or(Error::IndexesNotInTree),
            None => self.file.read_hashes(&[*index]).map(|hashes| hashes[0]),
        };
        indexes.iter().map(read).collect()
    }
}

/// Replaces the file `dir/name` atomically. After a crash the file has either the old content or
/// the new.
pub fn replace_file(dir: &Path, name: &str, content: &[u8]) -> Result<(), TlogError> {
    let (path, temporary) = (dir.join(name), dir.join(format!("{name}.new")));
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, &path)?;
        File::open(dir)?.sync_all()
    };
    write().map_err(|e| TlogError::io(&path, e))
}
