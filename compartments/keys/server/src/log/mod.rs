//! The release log on disk: append-only, group-committed, a Merkle tree over its entries.
//!
//! - `*.entries`: the segments, one for each day. A segment is a list of frames: length, CRC-32,
//!   entry.
//! - `*.index`: beside each segment of a past day, the records that each caller touched. It is
//!   derived from the segment.
//! - `hashes`: the stored hashes of the RFC 6962 tree, 32 bytes each, in the order of Go's `tlog`
//!   package. They are derived from the segments.
//! - `checkpoint`: the last signed checkpoint. At every start the entries must still match it.
//! - `cosigned`: the last checkpoint that the witness cosigned.
//!
//! An append is answered after `fdatasync`. If the process dies while it writes a frame, the next
//! start finds the torn frame, reports it and cuts it off. Anything else that does not fit is
//! damage, and the log is left as it is.

mod recover;
mod writer;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use cofferdam_core::{CallerName, Field, Operation, Record, Timestamp};
use cofferdam_index::{Detail, IndexKey, Part};
use cofferdam_tlog::notes::{BadNote, NoteKey, cosigned_at, read_checkpoint};
use cofferdam_tlog::{
    Day, Hash, HashFile, Segments, TilePath, TlogError, bundle, index, replace_file,
};
use keys_api::{Entry, MAX_ENTRY, summarize};
use tokio::sync::Notify;

use writer::Writer;

/// The number of days for which segments stay in the log's directory; older ones go to the archive.
/// PCI DSS 4.0.1, 10.5.1 demands twelve months in all, three of them at hand.
const AT_HAND_DAYS: i32 = 93;

/// A log that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A file can't be read or written, or was changed.
    #[error(
        "{0}; nothing was changed: keep the directory as evidence and restore it from the copy that response holds"
    )]
    File(#[from] TlogError),
    /// Another process has the log open.
    #[error("{}: another process has this log open", .0.display())]
    Locked(PathBuf),
    /// A whole entry can't be decoded.
    #[error(
        "entry {index} is not one that keys wrote; nothing was changed: keep the directory as \
         evidence and restore it from the copy that response holds"
    )]
    Entry {
        /// The index of the entry.
        index: u64,
    },
    /// The log does not match its checkpoint.
    #[error(
        "{}: {what}; nothing was changed: keep the directory as evidence and restore it from the \
         copy that response holds", path.display()
    )]
    Disagrees {
        /// The file of the checkpoint.
        path: PathBuf,
        /// The difference between log and checkpoint.
        what: String,
    },
    /// A cosignature can't be taken.
    #[error("the cosignature is not taken: {0}")]
    Cosignature(String),
    /// An entry is longer than readers accept.
    #[error("an entry of the release log has at most {MAX_ENTRY} bytes")]
    TooLong,
    /// The log has fewer entries than `keys` had already read of it.
    #[error(
        "{}: the log has {size} entries, and keys had read {read} of them; nothing was changed: \
         restore the log from the copy that response holds", dir.display()
    )]
    Lost {
        /// The directory of the log.
        dir: PathBuf,
        /// The number of entries in the log.
        size: u64,
        /// The number of entries that were read before.
        read: u64,
    },
    /// The entries could not be written. Later ones may be.
    #[error("the release log could not be written")]
    Unwritten,
    /// The log is closed.
    #[error("the release log takes no more entries: keys is stopping")]
    Stopped,
    /// A proof or a range was asked for beyond the end of the log.
    #[error("the log has {size} entries; {asked} were asked for")]
    Beyond {
        /// The number of entries in the log.
        size: u64,
        /// The number of entries that were asked for.
        asked: u64,
    },
}

impl LogError {
    fn io(path: &Path, source: std::io::Error) -> Self {
        TlogError::io(path, source).into()
    }
}

/// The place of a log, and the keys of its signers.
pub struct Place<'a> {
    /// The name of the log in checkpoints.
    pub origin: &'a str,
    /// The directory of the log, which is made if it does not exist.
    pub dir: &'a Path,
    /// The directory to which old segments are moved.
    pub archive: Option<&'a Path>,
    /// The key that signs checkpoints.
    pub key: NoteKey,
    /// The verifier key of the witness.
    pub witness: Option<String>,
}

/// The part of the log that is read at a start.
#[derive(Debug, Clone, Copy)]
pub struct Since {
    /// Every entry from this day on is read.
    pub day: Day,
    /// The first entry that the database does not know. Entries from there on are read as well.
    pub known: u64,
}

/// The state in which the log was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// The number of whole entries.
    pub entries: u64,
    /// The number of bytes of a torn end that were cut off.
    pub bytes_cut: u64,
}

/// The open log of this instance.
pub struct ReleaseLog {
    origin: String,
    dir: PathBuf,
    key: NoteKey,
    witness: Option<String>,
    shared: Arc<Shared>,
    writer: Mutex<Option<Writer>>,
    sender: writer::Sender,
    /// The last cosigned checkpoint.
    cosigned: RwLock<Option<String>>,
    /// Notified after each append.
    grown: Notify,
    /// The lock that keeps other processes out while the log is open.
    _lock: File,
}

/// The state that readers and the writer share.
pub(crate) struct Shared {
    segments: Segments,
    hashes: HashFile,
    /// The number of entries that are on disk and in the tree.
    size: RwLock<u64>,
    /// The reason why the last write failed; `None` if it did not.
    trouble: Mutex<Option<String>>,
}

impl Shared {
    fn size(&self) -> u64 {
        *self.size.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_trouble(&self, trouble: Option<String>) {
        let mut known = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != trouble {
            if let Some(cause) = &trouble {
                tracing::error!(cause, "the release log can't be written");
            } else {
                tracing::info!("the release log is written again");
            }
        }
        *known = trouble;
    }
}

impl ReleaseLog {
    /// Opens the log. `visit` gets every entry from the segments of `since` on, in order.
    pub fn open(
        place: Place<'_>,
        since: Since,
        visit: &mut dyn FnMut(Entry),
    ) -> Result<(Self, Opened), LogError> {
        let Place { origin, dir, archive, key, witness } = place;
        fs::create_dir_all(dir).map_err(|e| LogError::io(dir, e))?;
        let lock_path = dir.join("lock");
        let lock = File::create(&lock_path).map_err(|e| LogError::io(&lock_path, e))?;
        lock.try_lock().map_err(|_| LogError::Locked(dir.to_owned()))?;

        let vouched = recover::last_checkpoint(&dir.join("checkpoint"), &key.verifier())?;
        let segments = Segments::open(dir, archive)?;
        let (shared, opened) = recover::recover(dir, segments, vouched, since, visit)?;
        let shared = Arc::new(shared);
        let (writer, sender) = Writer::start(shared.clone());
        let log = Self {
            origin: origin.to_owned(),
            dir: dir.to_owned(),
            key,
            witness,
            shared,
            writer: Mutex::new(Some(writer)),
            sender,
            cosigned: RwLock::new(fs::read_to_string(dir.join("cosigned")).ok()),
            grown: Notify::new(),
            _lock: lock,
        };
        Ok((log, opened))
    }

    /// Appends entries one behind the other, and returns when they are on disk.
    pub async fn append(&self, entries: &[Entry]) -> Result<(), LogError> {
        let encoded: Vec<_> =
            entries.iter().map(|entry| (Day::of(entry.at), entry.encode())).collect();
        if encoded.iter().any(|(_, entry)| entry.len() > MAX_ENTRY) {
            return Err(LogError::TooLong);
        }
        self.sender.append(encoded).await?;
        self.grown.notify_one();
        Ok(())
    }

    /// The reason why the last write failed; `None` if it did not.
    pub fn trouble(&self) -> Option<String> {
        self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The name of the log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The verifier key of the log.
    pub fn verifier(&self) -> String {
        self.key.verifier()
    }

    /// Waits for an append. If there was one since the last wait, it returns at once.
    pub async fn grown(&self) {
        self.grown.notified().await;
    }

    /// The number of entries on disk.
    pub fn size(&self) -> u64 {
        self.shared.size()
    }

    /// The signed checkpoint of the log on disk, and its size.
    pub fn checkpoint(&self) -> Result<(String, u64), LogError> {
        let size = self.size();
        let root = self.shared.hashes.root(size)?;
        let note = self.key.checkpoint(size, root).map_err(|e| self.unsigned(&e))?;
        Ok((note, size))
    }

    /// The checkpoint for public tools: the last one that the witness cosigned or, until there is
    /// one, the current one.
    pub fn public_checkpoint(&self) -> Result<String, LogError> {
        let cosigned = self.cosigned.read().unwrap_or_else(PoisonError::into_inner).clone();
        cosigned.map_or_else(|| self.checkpoint().map(|(note, _)| note), Ok)
    }

    /// Takes a checkpoint of this log that the witness cosigned. Returns the instant of the
    /// cosignature.
    pub fn set_cosigned(&self, note: &str) -> Result<Timestamp, LogError> {
        let refuse = |what: String| LogError::Cosignature(what);
        let bad = |e: BadNote| refuse(e.to_string());
        let witness = self.witness.as_deref();
        let witness = witness.ok_or_else(|| refuse("no witness_key is configured".to_owned()))?;
        let checkpoint = read_checkpoint(note, &self.key.verifier()).map_err(bad)?;
        let at = cosigned_at(note, witness).map_err(bad)?;
        if checkpoint.size() > self.size() {
            return Err(refuse("it covers entries that were never written".to_owned()));
        }
        if self.shared.hashes.root(checkpoint.size())? != *checkpoint.hash() {
            return Err(refuse("it is for another tree".to_owned()));
        }
        let mut newest = self.cosigned.write().unwrap_or_else(PoisonError::into_inner);
        let before = newest.as_deref().and_then(|n| read_checkpoint(n, &self.key.verifier()).ok());
        if before.is_some_and(|before| before.size() > checkpoint.size()) {
            return Ok(at);
        }
        replace_file(&self.dir, "cosigned", note.as_bytes())?;
        *newest = Some(note.to_owned());
        Ok(at)
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

    /// The hash of an entry, and the proof that it is in the tree of `size` entries.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<(Hash, Vec<Hash>), LogError> {
        if index >= size || size > self.size() {
            let asked = size.max(index.saturating_add(1));
            return Err(LogError::Beyond { size: self.size(), asked });
        }
        let hashes = &self.shared.hashes;
        Ok((hashes.leaf(index)?, hashes.inclusion(index, size)?))
    }

    /// Encoded entries from index `from` on: at most `limit`, and at most about 4 MiB.
    pub fn entries(&self, from: u64, limit: u64) -> Result<Vec<Vec<u8>>, LogError> {
        let size = self.size();
        if from > size {
            return Err(LogError::Beyond { size, asked: from });
        }
        Ok(self.shared.segments.read(from, size, limit)?)
    }

    /// The callers to which a field of a record was ever released for reading. The answer comes
    /// from the indexes of past days, and from the segments without an index.
    pub fn readers(&self, record: Record, field: Field) -> Result<Vec<CallerName>, LogError> {
        let segments = &self.shared.segments;
        let opens =
            |key: &IndexKey| key.operation == Operation::Release && key.field == Some(field);
        let mut readers = BTreeSet::new();
        for name in segments.names() {
            let whole = |_: &[Part]| Detail::Whole;
            let index = index::read(segments, &self.dir, name, (&opens, &whole), summarize)?;
            let past = index.whole.iter().filter(|(_, records)| records.contains(record.0));
            let today = index
                .bitmaps
                .iter()
                .filter(|(_, parts)| parts.iter().any(|(_, records)| records.contains(record.0)));
            let opened = past.map(|(key, _)| key).chain(today.map(|(key, _)| key));
            readers.extend(opened.map(|key| key.caller.clone()));
        }
        Ok(readers.into_iter().collect())
    }

    /// A tile as public tools read it; `None` if the log does not reach so far.
    pub fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>, LogError> {
        if !path.is_within(self.size()) {
            return Ok(None);
        }
        Ok(Some(match path.entries() {
            Some((from, count)) => bundle(&self.entries(from, count)?),
            None => path.hashes(&self.shared.hashes)?,
        }))
    }

    /// Writes the checkpoint file, which the log must match at the next start.
    pub fn save_checkpoint(&self) -> Result<(), LogError> {
        let (note, _) = self.checkpoint()?;
        Ok(replace_file(&self.dir, "checkpoint", note.as_bytes())?)
    }

    /// Indexes the segments of past days, and moves old ones to the archive.
    pub fn tidy(&self, today: Day) -> Result<(), LogError> {
        index::catch_up(&self.shared.segments, &self.dir, false, summarize)?;
        let moved = self.shared.segments.archive_before(today.minus(AT_HAND_DAYS))?;
        if moved > 0 {
            tracing::info!(segments = moved, "old segments of the log were moved to the archive");
        }
        Ok(())
    }

    /// Stops the writer after it has written everything, and writes the checkpoint.
    pub async fn close(&self) -> Result<(), LogError> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            self.sender.close();
            // Waiting for the last batch of the thread must not hold up the runtime.
            tokio::task::spawn_blocking(move || writer.join()).await.ok();
        }
        self.save_checkpoint()
    }

    fn unsigned(&self, error: &BadNote) -> LogError {
        let path = self.dir.join("checkpoint");
        LogError::Disagrees { path, what: format!("it can't be signed: {error}") }
    }
}

#[cfg(test)]
mod tests;
