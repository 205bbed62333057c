//! The release log on disk: append-only, group-committed, a Merkle tree over its entries.
//!
//! - `entries`: frames of length, CRC-32 and entry, one behind the other; the truth.
//! - `hashes`: the stored hashes of the RFC 6962 tree, 32 bytes each, in the order of Go's
//!   `tlog` package; rebuilt from the entries whenever it differs.
//! - `checkpoint`: the last signed checkpoint, which `entries` must still fulfil at start.
//!
//! An append is answered after `fdatasync`. A frame that was being written when the process died
//! is found at the next start, reported and cut; anything else that does not fit is damage, and
//! the log is left as it is.

mod recover;
mod writer;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use cofferdam_store::tlog::{Checkpoint, HashFile, TlogError, frames, replace_file};
use keys_api::Entry;
use signed_note::{Note, StandardSigner};

use writer::Writer;

pub use cofferdam_store::tlog::Hash;

/// Why the log can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A file can't be read or written.
    #[error(transparent)]
    File(#[from] TlogError),
    /// Another process has the log open.
    #[error("{}: another process has this log open", .0.display())]
    Locked(PathBuf),
    /// Bytes in the middle are not what was written.
    #[error(
        "{}: damaged at byte {offset}, though good entries follow; nothing was changed: keep the \
         file as evidence and restore it from the copy that response holds", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the first bad frame begins.
        offset: u64,
    },
    /// The log no longer has what its checkpoint vouches for.
    #[error(
        "{}: {what}; nothing was changed: keep the directory as evidence and restore it from the \
         copy that response holds", path.display()
    )]
    Disagrees {
        /// The checkpoint's file.
        path: PathBuf,
        /// In what way.
        what: String,
    },
    /// The writer has stopped after an earlier failure.
    #[error("the release log takes no more entries since a write to it failed")]
    Stopped,
    /// A proof or range was asked for beyond the log's end.
    #[error("the log has {size} entries; {asked} were asked for")]
    Beyond {
        /// How many there are.
        size: u64,
        /// How many were asked for.
        asked: u64,
    },
}

impl LogError {
    fn io(path: &Path, source: std::io::Error) -> Self {
        TlogError::io(path, source).into()
    }
}

/// What was found when the log was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Whole entries.
    pub entries: u64,
    /// Bytes of a torn end that were cut off.
    pub bytes_cut: u64,
}

/// The open log.
pub struct ReleaseLog {
    dir: PathBuf,
    origin: String,
    signer: StandardSigner,
    shared: Arc<Shared>,
    writer: Mutex<Option<Writer>>,
    sender: writer::Sender,
    /// Held for as long as the log is open: one process writes.
    _lock: File,
}

/// What readers and the writer share.
pub(crate) struct Shared {
    entries: File,
    hashes: HashFile,
    state: RwLock<State>,
}

/// The durable end of the log.
struct State {
    size: u64,
    bytes: u64,
    /// The offset of every 256th entry, so that any entry is found after at most 255 others.
    index: Vec<u64>,
}

/// Every how many entries the index has one.
const INDEX_EVERY: u64 = 256;

impl Shared {
    fn state(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReleaseLog {
    /// Opens the log in `dir`, made when it is not there; `visit` sees every entry in order.
    pub fn open(
        dir: &Path,
        origin: &str,
        signer: StandardSigner,
        verifier: &str,
        visit: &mut dyn FnMut(Entry),
    ) -> Result<(Self, Opened), LogError> {
        fs::create_dir_all(dir).map_err(|e| LogError::io(dir, e))?;
        let lock_path = dir.join("lock");
        let lock = File::create(&lock_path).map_err(|e| LogError::io(&lock_path, e))?;
        lock.try_lock().map_err(|_| LogError::Locked(dir.to_owned()))?;

        let vouched = recover::last_checkpoint(&dir.join("checkpoint"), origin, verifier)?;
        let (shared, opened) = recover::recover(dir, vouched, visit)?;
        let shared = Arc::new(shared);
        let (writer, sender) = Writer::start(dir.join("entries"), shared.clone());
        let log = Self {
            dir: dir.to_owned(),
            origin: origin.to_owned(),
            signer,
            shared,
            writer: Mutex::new(Some(writer)),
            sender,
            _lock: lock,
        };
        Ok((log, opened))
    }

    /// Appends an entry; its index, once it is on disk.
    pub async fn append(&self, entry: &Entry) -> Result<u64, LogError> {
        self.sender.append(entry.encode()).await
    }

    /// How many entries are on disk.
    pub fn size(&self) -> u64 {
        self.shared.state().size
    }

    /// The signed checkpoint of the log as it is on disk now, and its size.
    pub fn checkpoint(&self) -> Result<(String, u64), LogError> {
        let size = self.size();
        let root = self.shared.hashes.root(size)?;
        let sign = || -> Result<String, Box<dyn std::error::Error>> {
            let checkpoint =
                Checkpoint::new(&self.origin, size, root, "").map_err(|e| e.to_string())?;
            let mut note = Note::new(&checkpoint.to_bytes(), &[])?;
            note.add_sigs(&[&self.signer])?;
            Ok(String::from_utf8(note.to_bytes())?)
        };
        let path = self.dir.join("checkpoint");
        let note = sign()
            .map_err(|e| LogError::Disagrees { path, what: format!("it can't be signed: {e}") })?;
        Ok((note, size))
    }

    /// The proof that the tree of `since` entries is the beginning of the tree of `size`.
    pub fn consistency(&self, since: u64, size: u64) -> Result<Vec<Hash>, LogError> {
        if since == 0 || since == size {
            return Ok(Vec::new());
        }
        if since > size || size > self.size() {
            return Err(LogError::Beyond { size: self.size(), asked: since.max(size) });
        }
        Ok(self.shared.hashes.consistency(since, size)?)
    }

    /// Raw entries from index `from` on: at most `limit`, and about 4 MiB.
    pub fn entries(&self, from: u64, limit: u32) -> Result<Vec<Vec<u8>>, LogError> {
        let path = self.dir.join("entries");
        let (size, bytes, start) = {
            let state = self.shared.state();
            if from > state.size {
                return Err(LogError::Beyond { size: state.size, asked: from });
            }
            let slot = usize::try_from(from / INDEX_EVERY).unwrap_or(usize::MAX);
            (state.size, state.bytes, state.index.get(slot).copied().unwrap_or(state.bytes))
        };
        let end = (from + u64::from(limit)).min(size);
        let (skip, count) = (from % INDEX_EVERY, end - from);
        Ok(frames::read_range(&self.shared.entries, &path, start, bytes, skip, count)?)
    }

    /// Writes the checkpoint file; at the next start the log must still fulfil it.
    pub fn save_checkpoint(&self) -> Result<(), LogError> {
        let (note, _) = self.checkpoint()?;
        Ok(replace_file(&self.dir, "checkpoint", note.as_bytes())?)
    }

    /// Stops the writer after what it has, and writes the checkpoint.
    pub async fn close(&self) -> Result<(), LogError> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            self.sender.close();
            // The thread ends with its last batch; waiting for it must not hold up the runtime.
            tokio::task::spawn_blocking(move || writer.join()).await.ok();
        }
        self.save_checkpoint()
    }
}

#[cfg(test)]
mod tests;
