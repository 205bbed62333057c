//! The copy of the release log: it grows only by entries that a signed checkpoint vouches for,
//! and only if the log that it came from only grew.

use std::fs::{self, File};
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use cofferdam_store::tlog::frames::{self, Read1};
use cofferdam_store::tlog::{Checkpoint, Hash, HashFile, TlogError, check_tree, replace_file};
use keys_api::{CheckpointAnswer, Entry};
use signed_note::{Note, StandardVerifier, Verifier, VerifierList};

/// Entries whose hashes are written at once.
const BATCH: usize = 4_096;

/// Why the copy can't be used, or does not grow.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// A file of the copy can't be used.
    #[error(transparent)]
    File(#[from] TlogError),
    /// The verifier key in the configuration is none.
    #[error("log_key {0:?} is no verifier key of a signed note")]
    Key(String),
    /// The copy itself was changed.
    #[error("the copy in {} was changed: {what}", dir.display())]
    Changed {
        /// Its directory.
        dir: PathBuf,
        /// In what way.
        what: String,
    },
    /// The log that is copied is not the one that was copied before, or was changed.
    #[error("the release log disagrees with its copy: {0}")]
    Disagreement(String),
}

/// The copy in its directory: `entries`, `hashes` and `checkpoint`, in the form of the log itself.
pub struct LogCopy {
    dir: PathBuf,
    log_key: String,
    entries: File,
    hashes: HashFile,
    state: State,
    /// Entries written behind the state, which no checkpoint covers yet.
    pending: State,
}

#[derive(Clone)]
struct State {
    size: u64,
    bytes: u64,
    root: Hash,
    note: String,
}

/// The verified end of the copy.
#[derive(Debug, Clone, PartialEq)]
pub struct CopyEnd {
    /// Entries.
    pub size: u64,
    /// Their bytes in the file, for [`read_entries`].
    pub bytes: u64,
    /// The root hash.
    pub root: Hash,
    /// The signed checkpoint.
    pub note: String,
}

impl LogCopy {
    /// Opens the copy, made when it is not there. What was written behind the last verified
    /// checkpoint is dropped: it is fetched again.
    pub fn open(dir: &Path, log_key: &str) -> Result<Self, CopyError> {
        if StandardVerifier::new(log_key).is_err() {
            return Err(CopyError::Key(log_key.to_owned()));
        }
        fs::create_dir_all(dir).map_err(|e| TlogError::io(dir, e))?;
        let path = dir.join("entries");
        let entries = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(|e| TlogError::io(&path, e))?;
        let hashes = HashFile::open(dir.join("hashes"))?;
        let changed = |what: String| CopyError::Changed { dir: dir.to_owned(), what };
        let note_path = dir.join("checkpoint");
        let note = match fs::read_to_string(&note_path) {
            Ok(note) => Some(note),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => return Err(TlogError::io(&note_path, e).into()),
        };
        let mut state = State {
            size: 0,
            bytes: 0,
            root: cofferdam_store::tlog::EMPTY_HASH,
            note: String::new(),
        };
        if let Some(note) = note {
            let checkpoint = verify(&note, log_key).map_err(changed)?;
            let bytes = rehash(&entries, &path, &hashes, checkpoint.size()).map_err(changed)?;
            hashes.truncate(checkpoint.size())?;
            if hashes.root(checkpoint.size())? != *checkpoint.hash() {
                return Err(changed("an entry is not what was copied".to_owned()));
            }
            state = State { size: checkpoint.size(), bytes, root: *checkpoint.hash(), note };
        }
        entries.set_len(state.bytes).map_err(|e| TlogError::io(&path, e))?;
        let pending = state.clone();
        Ok(Self {
            dir: dir.to_owned(),
            log_key: log_key.to_owned(),
            entries,
            hashes,
            state,
            pending,
        })
    }

    /// The verified end.
    #[must_use]
    pub fn end(&self) -> CopyEnd {
        let State { size, bytes, root, note } = self.state.clone();
        CopyEnd { size, bytes, root, note }
    }

    /// The file of the entries.
    #[must_use]
    pub fn entries_path(&self) -> PathBuf {
        self.dir.join("entries")
    }

    /// Takes a new checkpoint: its signature must hold, and its tree must begin with ours. The
    /// size that it vouches for: fetch the entries up to there, and [`LogCopy::push`] them.
    pub fn begin(&mut self, answer: &CheckpointAnswer) -> Result<u64, CopyError> {
        let disagree = CopyError::Disagreement;
        let checkpoint = verify(&answer.note, &self.log_key).map_err(disagree)?;
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
        self.pending = State { root, note: answer.note.clone(), ..self.state.clone() };
        Ok(size)
    }

    /// Adds entries in their order.
    pub fn push(&mut self, entries: &[Vec<u8>]) -> Result<(), CopyError> {
        let path = self.entries_path();
        let mut frame = Vec::new();
        for entry in entries {
            Entry::decode(entry).map_err(|e| CopyError::Disagreement(e.to_string()))?;
            frames::push(&mut frame, entry);
        }
        (&self.entries).write_all(&frame).map_err(|e| TlogError::io(&path, e))?;
        self.hashes.append(self.pending.size, entries.iter().map(Vec::as_slice))?;
        self.pending.size += entries.len() as u64;
        self.pending.bytes += frame.len() as u64;
        Ok(())
    }

    /// Ends what [`LogCopy::begin`] began: the entries must make the checkpoint's root.
    pub fn commit(&mut self) -> Result<(), CopyError> {
        let path = self.entries_path();
        if self.hashes.root(self.pending.size)? != self.pending.root {
            self.rewind()?;
            let what = "the entries that it gave are not those that its checkpoint vouches for";
            return Err(CopyError::Disagreement(what.to_owned()));
        }
        self.entries.sync_data().map_err(|e| TlogError::io(&path, e))?;
        replace_file(&self.dir, "checkpoint", self.pending.note.as_bytes())?;
        self.state = self.pending.clone();
        Ok(())
    }

    /// How many entries are held, verified or not.
    #[must_use]
    pub const fn held(&self) -> u64 {
        self.pending.size
    }

    fn rewind(&mut self) -> Result<(), CopyError> {
        let path = self.entries_path();
        self.entries.set_len(self.state.bytes).map_err(|e| TlogError::io(&path, e))?;
        self.hashes.truncate(self.state.size)?;
        self.pending = self.state.clone();
        Ok(())
    }
}

/// Checks a note's signature and reads its checkpoint.
fn verify(note: &str, log_key: &str) -> Result<Checkpoint, String> {
    let good = || -> Result<Checkpoint, Box<dyn std::error::Error>> {
        let verifier = StandardVerifier::new(log_key)?;
        let origin = verifier.name().to_owned();
        let note = Note::from_bytes(note.as_bytes())?;
        note.verify(&VerifierList::new(vec![Box::new(verifier)]))?;
        let checkpoint = Checkpoint::from_bytes(note.text()).map_err(|e| e.to_string())?;
        if checkpoint.origin() != origin {
            return Err(format!("it is of the log {:?}", checkpoint.origin()).into());
        }
        Ok(checkpoint)
    };
    good().map_err(|e| format!("the checkpoint is not good: {e}"))
}

/// Hashes the first `size` entries again; where they end.
fn rehash(entries: &File, path: &Path, hashes: &HashFile, size: u64) -> Result<u64, String> {
    let length = entries.metadata().map_err(|e| format!("{}: {e}", path.display()))?.len();
    let mut reader = EntryReader::open(path, length).map_err(|e| e.to_string())?;
    let mut done = 0;
    while done < size {
        let wanted = usize::try_from(size - done).unwrap_or(BATCH).min(BATCH);
        let batch: Vec<Vec<u8>> =
            reader.by_ref().take(wanted).collect::<Result<_, _>>().map_err(|e| e.to_string())?;
        if batch.is_empty() {
            return Err(format!("it holds {done} of {size} entries"));
        }
        hashes.append(done, batch.iter().map(Vec::as_slice)).map_err(|e| e.to_string())?;
        done += batch.len() as u64;
    }
    Ok(reader.bytes)
}

/// Reads entries from a copy's file, as raw bytes.
pub struct EntryReader<R> {
    reader: R,
    path: PathBuf,
    bytes: u64,
}

impl EntryReader<BufReader<std::io::Take<File>>> {
    /// Reads the first `length` bytes of the file.
    pub fn open(path: &Path, length: u64) -> Result<Self, TlogError> {
        let file = File::open(path).map_err(|e| TlogError::io(path, e))?;
        let reader = BufReader::with_capacity(1 << 20, file.take(length));
        Ok(Self { reader, path: path.to_owned(), bytes: 0 })
    }
}

impl<R: Read> Iterator for EntryReader<R> {
    type Item = Result<Vec<u8>, TlogError>;

    fn next(&mut self) -> Option<Self::Item> {
        match frames::read(&mut self.reader) {
            Ok(Read1::Entry(entry)) => {
                self.bytes += frames::framed(entry.len());
                Some(Ok(entry))
            }
            Ok(Read1::End) => None,
            Ok(Read1::Bad) => {
                Some(Err(TlogError::Damaged { path: self.path.clone(), offset: self.bytes }))
            }
            Err(e) => Some(Err(TlogError::io(&self.path, e))),
        }
    }
}
