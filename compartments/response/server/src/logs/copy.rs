//! The copy of a release log. It takes only entries under a signed checkpoint, and only while the
//! log itself only grows. Each checkpoint is cosigned, so that the log can never show another tree
//! of the same size.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cofferdam_core::Timestamp;
use cofferdam_index::{IndexBuilder, SegmentIndex, Wanted};
use cofferdam_tlog::frames::framed;
use cofferdam_tlog::notes::{BadNote, NoteKey, NoteKind, is_verifier, read_checkpoint};
use cofferdam_tlog::{
    Day, EMPTY_HASH, Hash, HashFile, MAX_ENTRY, SegmentName, Segments, TlogError, check_tree,
    index, replace_file,
};
use keys_api::{CheckpointAnswer, Entry, summarize};
use response_api::EvidenceEntry;

use super::anchors::Anchors;

/// The number of entries whose hashes are written at once.
const BATCH: usize = 4_096;
/// The number of entries that are read at once for the index of the last segment.
const LIVE_PAGE: u64 = 10_000;

/// A copy that can't be used, or that does not grow.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// A file of the copy can't be used.
    #[error(transparent)]
    File(#[from] TlogError),
    /// The configured verifier key is malformed.
    #[error("log_key {0:?} is not a verifier key of a signed note")]
    Key(String),
    /// The copy itself was changed.
    #[error("the copy in {} was changed: {what}", dir.display())]
    Changed {
        /// The directory of the copy.
        dir: PathBuf,
        /// The change that was found.
        what: String,
    },
    /// The log was changed, or another log took its place.
    #[error("the release log disagrees with its copy: {0}")]
    Disagreement(String),
    /// A checkpoint can't be read or cosigned.
    #[error("a checkpoint is not good: {0}")]
    Note(#[from] BadNote),
}

impl cofferdam_core::InternalError for CopyError {}

/// A copy in its directory: segments, `hashes` and `checkpoint`, in the form of the log itself.
pub struct LogCopy {
    dir: PathBuf,
    log_key: String,
    segments: Arc<Segments>,
    hashes: HashFile,
    state: CopyEnd,
    /// The end of the written entries, which no checkpoint covers yet.
    pending: CopyEnd,
    /// The anchors of journals among the verified entries.
    anchors: Anchors,
    /// The anchors among the entries that no checkpoint covers yet.
    pending_anchors: Anchors,
    /// The index of the last segment, as far as it was built.
    live: Option<(SegmentName, IndexBuilder)>,
}

/// The verified end of the copy.
#[derive(Debug, Clone, PartialEq)]
pub struct CopyEnd {
    /// The number of entries.
    pub size: u64,
    /// The root hash.
    pub root: Hash,
    /// The signed checkpoint.
    pub note: String,
}

impl LogCopy {
    /// Opens the copy, or creates it. Entries behind the last verified checkpoint are dropped, and
    /// are fetched again.
    pub fn open(dir: &Path, log_key: &str) -> Result<Self, CopyError> {
        if !is_verifier(log_key, NoteKind::Log) {
            return Err(CopyError::Key(log_key.to_owned()));
        }
        let segments = Segments::open(dir, None)?;
        let hashes = HashFile::open(dir.join("hashes"))?;
        let changed = |what: String| CopyError::Changed { dir: dir.to_owned(), what };
        let mut state = CopyEnd { size: 0, root: EMPTY_HASH, note: String::new() };
        let mut anchors = Anchors::default();
        if let Some(note) = read_note(&dir.join("checkpoint"))? {
            let checkpoint = read_checkpoint(&note, log_key)
                .map_err(|e| changed(format!("the checkpoint is not good: {e}")))?;
            let size = checkpoint.size();
            let held = rehash(&segments, &hashes, &mut anchors);
            let held = held.map_err(|e| changed(e.to_string()))?;
            if held < size {
                return Err(changed(format!("it holds {held} of {size} entries")));
            }
            if hashes.root(size)? != *checkpoint.hash() {
                return Err(changed("an entry is not what was copied".to_owned()));
            }
            state = CopyEnd { size, root: *checkpoint.hash(), note };
        }
        segments.truncate(state.size)?;
        hashes.truncate(state.size)?;
        anchors.truncate(state.size);
        let pending = state.clone();
        let (dir, log_key) = (dir.to_owned(), log_key.to_owned());
        let segments = Arc::new(segments);
        let pending_anchors = Anchors::default();
        Ok(Self {
            dir,
            log_key,
            segments,
            hashes,
            state,
            pending,
            anchors,
            pending_anchors,
            live: None,
        })
    }

    /// The verified end of the copy.
    #[must_use]
    pub fn end(&self) -> CopyEnd {
        self.state.clone()
    }

    /// The entries of the copy. Those before the verified end never change.
    #[must_use]
    pub fn segments(&self) -> Arc<Segments> {
        self.segments.clone()
    }

    /// Begins to extend the copy to a new checkpoint. Its signature must hold, and its tree must
    /// begin with ours. Returns the size up to which entries must be [pushed](LogCopy::push).
    pub fn begin(&mut self, answer: &CheckpointAnswer) -> Result<u64, CopyError> {
        let disagree = CopyError::Disagreement;
        let checkpoint = read_checkpoint(&answer.note, &self.log_key)
            .map_err(|e| disagree(format!("the checkpoint is not good: {e}")))?;
        let (size, root) = (checkpoint.size(), *checkpoint.hash());
        if size < self.state.size {
            let had = self.state.size;
            return Err(disagree(format!("it had {had} entries and has {size} now")));
        }
        if size == self.state.size && root != self.state.root {
            return Err(disagree(format!("another tree of the same {size} entries")));
        }
        if self.state.size > 0 && size > self.state.size {
            let proof = answer.consistency.iter().map(|hash| Hash(*hash)).collect();
            check_tree(&proof, size, root, self.state.size, self.state.root).map_err(|_| {
                disagree(format!("entries before {} were changed", self.state.size))
            })?;
        }
        self.rewind()?;
        self.pending = CopyEnd { size: self.state.size, root, note: answer.note.clone() };
        Ok(size)
    }

    /// Adds entries in their order.
    pub fn push(&mut self, entries: &[Vec<u8>]) -> Result<(), CopyError> {
        let mut dated = Vec::with_capacity(entries.len());
        for (index, entry) in (self.pending.size..).zip(entries) {
            if entry.len() > MAX_ENTRY {
                let what = format!("an entry has {} bytes", entry.len());
                return Err(CopyError::Disagreement(what));
            }
            let read = Entry::decode(entry).map_err(|e| CopyError::Disagreement(e.to_string()))?;
            self.pending_anchors.add(index, &read);
            dated.push((Day::of(read.at), entry.as_slice()));
        }
        for day in dated.chunk_by(|(a, _), (b, _)| a == b) {
            let bytes: Vec<&[u8]> = day.iter().map(|(_, entry)| *entry).collect();
            self.segments.append(self.pending.size, day[0].0, &bytes)?;
            self.hashes.append(self.pending.size, bytes.iter().copied())?;
            self.pending.size += bytes.len() as u64;
        }
        Ok(())
    }

    /// Ends an extension: the pushed entries must make the checkpoint's root.
    pub fn commit(&mut self) -> Result<(), CopyError> {
        if self.hashes.root(self.pending.size)? != self.pending.root {
            self.rewind()?;
            let what = "the entries that it gave are not those that its checkpoint vouches for";
            return Err(CopyError::Disagreement(what.to_owned()));
        }
        replace_file(&self.dir, "checkpoint", self.pending.note.as_bytes())?;
        self.state = self.pending.clone();
        self.anchors.append(std::mem::take(&mut self.pending_anchors));
        Ok(())
    }

    /// Cosigns the verified checkpoint. The cosignature is on disk before it is given out, so that
    /// no restart can make us cosign another tree of the same size.
    pub fn cosign(&self, key: &NoteKey, at: Timestamp) -> Result<String, CopyError> {
        let note = key.cosign(&self.state.note, at)?;
        replace_file(&self.dir, "cosigned", note.as_bytes())?;
        Ok(note)
    }

    /// The `wanted` part of the last segment's index, which no file holds yet.
    pub fn live_index(
        &mut self,
        wanted: Wanted<'_>,
    ) -> Result<Option<(SegmentName, SegmentIndex)>, CopyError> {
        let Some(name) = self.segments.names().last().copied() else { return Ok(None) };
        let (_, builder) = match self.live.take() {
            Some(live) if live.0 == name => self.live.insert(live),
            _ => self.live.insert((name, IndexBuilder::new(name.first, summarize))),
        };
        while builder.next() < self.state.size {
            let page = self.segments.read(builder.next(), self.state.size, LIVE_PAGE)?;
            if page.is_empty() {
                break;
            }
            for entry in &page {
                builder.add(entry, framed(entry.len())).map_err(TlogError::from)?;
            }
        }
        Ok(Some((name, builder.index(wanted))))
    }

    /// The proof that entry `index` stands in the tree of `size` entries.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, CopyError> {
        Ok(self.hashes.inclusion(index, size)?)
    }

    /// The last cosigned checkpoint, and its size.
    pub fn cosigned(&self) -> Result<Option<(String, u64)>, CopyError> {
        let Some(note) = read_note(&self.dir.join("cosigned"))? else { return Ok(None) };
        let size = read_checkpoint(&note, &self.log_key)
            .map(|checkpoint| checkpoint.size())
            .map_err(|e| CopyError::Disagreement(format!("the cosigned checkpoint: {e}")))?;
        Ok(Some((note, size)))
    }

    /// Builds the missing indexes of past days, and returns their number.
    pub fn index(dir: &Path, segments: &Segments) -> Result<usize, CopyError> {
        Ok(index::catch_up(segments, dir, false, summarize)?)
    }

    /// The anchors of journals in the copy.
    #[must_use]
    pub const fn anchors(&self) -> &Anchors {
        &self.anchors
    }

    /// The entries at `places`, with their proofs in the tree of `size` entries.
    pub fn prove(&self, places: &[u64], size: u64) -> Result<Vec<EvidenceEntry>, CopyError> {
        let mut proved = Vec::with_capacity(places.len());
        for index in places {
            let entry = self.segments.read(*index, size, 1)?.pop();
            let proof = self.inclusion(*index, size)?.into_iter().map(|hash| hash.0).collect();
            let entry = entry.ok_or_else(|| CopyError::Changed {
                dir: self.dir.clone(),
                what: format!("entry {index} is gone"),
            })?;
            proved.push(EvidenceEntry { index: *index, entry, proof });
        }
        Ok(proved)
    }

    /// Whether the first entries of the copy make the tree of a checkpoint; `None` if the copy has
    /// fewer. The checkpoint must be signed by the log.
    pub fn has_tree_of(&self, note: &str) -> Result<(u64, Option<bool>), CopyError> {
        let checkpoint = read_checkpoint(note, &self.log_key)?;
        let size = checkpoint.size();
        if size > self.state.size {
            return Ok((size, None));
        }
        Ok((size, Some(self.hashes.root(size)? == *checkpoint.hash())))
    }

    /// The directory of the copy.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The number of entries, verified or not.
    #[must_use]
    pub const fn held(&self) -> u64 {
        self.pending.size
    }

    fn rewind(&mut self) -> Result<(), CopyError> {
        self.segments.truncate(self.state.size)?;
        self.hashes.truncate(self.state.size)?;
        self.pending_anchors = Anchors::default();
        self.pending = self.state.clone();
        Ok(())
    }
}

fn read_note(path: &Path) -> Result<Option<String>, CopyError> {
    match fs::read_to_string(path) {
        Ok(note) => Ok(Some(note)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(TlogError::io(path, e).into()),
    }
}

/// Hashes every entry again, and finds the anchors among them. Returns the number of entries.
fn rehash(segments: &Segments, hashes: &HashFile, anchors: &mut Anchors) -> Result<u64, TlogError> {
    let mut batch: Vec<Vec<u8>> = Vec::with_capacity(BATCH);
    let scanned = segments.scan(0, &mut |index, entry| {
        if Entry::begins_as_anchor(&entry)
            && let Ok(anchor) = Entry::decode(&entry)
        {
            anchors.add(index, &anchor);
        }
        batch.push(entry);
        if batch.len() == BATCH {
            hashes.append(index + 1 - BATCH as u64, batch.iter().map(Vec::as_slice))?;
            batch.clear();
        }
        Ok::<_, TlogError>(())
    })?;
    let done = scanned.size - batch.len() as u64;
    hashes.append(done, batch.iter().map(Vec::as_slice))?;
    Ok(scanned.size)
}
