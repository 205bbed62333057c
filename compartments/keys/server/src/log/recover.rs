//! Opening the log: reads every entry, rebuilds the tree, and finds out whether anything is
//! missing, torn or changed.

use std::fs::{self, File};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::RwLock;

use cofferdam_store::tlog::frames::{self, Read1};
use cofferdam_store::tlog::{Checkpoint, Hash, HashFile};
use keys_api::Entry;
use signed_note::{Note, StandardVerifier, VerifierList};

use super::{INDEX_EVERY, LogError, Opened, Shared, State};

/// What the last checkpoint vouches for.
pub struct Vouched {
    size: u64,
    root: Hash,
}

/// Entries whose hashes are written at once.
const BATCH: usize = 4_096;

/// Reads the checkpoint file, if there is one, and checks its signature.
pub fn last_checkpoint(
    path: &Path,
    origin: &str,
    verifier: &str,
) -> Result<Option<Vouched>, LogError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(LogError::io(path, e)),
    };
    let read = || -> Result<Vouched, Box<dyn std::error::Error>> {
        let note = Note::from_bytes(&bytes)?;
        let verifier = StandardVerifier::new(verifier)?;
        note.verify(&VerifierList::new(vec![Box::new(verifier)]))?;
        let checkpoint = Checkpoint::from_bytes(note.text()).map_err(|e| e.to_string())?;
        if checkpoint.origin() != origin {
            return Err(format!("it is of the log {:?}", checkpoint.origin()).into());
        }
        Ok(Vouched { size: checkpoint.size(), root: *checkpoint.hash() })
    };
    read().map(Some).map_err(|e| LogError::Disagrees {
        path: path.to_owned(),
        what: format!("the checkpoint is not good: {e}"),
    })
}

/// Reads the log in `dir`, hands every entry to `visit`, and cuts a torn end.
pub fn recover(
    dir: &Path,
    vouched: Option<Vouched>,
    visit: &mut dyn FnMut(Entry),
) -> Result<(Shared, Opened), LogError> {
    let path = dir.join("entries");
    let file = File::options()
        .read(true)
        .append(true)
        .create(true)
        .open(&path)
        .map_err(|e| LogError::io(&path, e))?;
    let hashes = HashFile::open(dir.join("hashes"))?;
    // The files' names must survive a crash as well as what stands in them.
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| LogError::io(dir, e))?;
    let mut state = State { size: 0, bytes: 0, index: Vec::new() };
    let torn = read_all(&file, &path, &hashes, &mut state, visit)?;
    hashes.truncate(state.size)?;
    if let Some(vouched) = vouched {
        check(dir, &vouched, &hashes, state.size)?;
    }
    let bytes_cut = if torn { cut(&file, &path, state.bytes)? } else { 0 };
    let opened = Opened { entries: state.size, bytes_cut };
    Ok((Shared { entries: file, hashes, state: RwLock::new(state) }, opened))
}

/// Reads entries until the end (`false`) or a frame that is not whole (`true`).
fn read_all(
    file: &File,
    path: &Path,
    hashes: &HashFile,
    state: &mut State,
    visit: &mut dyn FnMut(Entry),
) -> Result<bool, LogError> {
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut batch: Vec<Vec<u8>> = Vec::with_capacity(BATCH);
    let flush = |batch: &mut Vec<Vec<u8>>, size: u64| {
        hashes.append(size - batch.len() as u64, batch.iter().map(Vec::as_slice))?;
        batch.clear();
        Ok::<_, LogError>(())
    };
    loop {
        let damaged =
            |state: &State| LogError::Damaged { path: path.to_owned(), offset: state.bytes };
        let bytes = match frames::read(&mut reader).map_err(|e| LogError::io(path, e))? {
            Read1::Entry(bytes) => bytes,
            Read1::End => {
                flush(&mut batch, state.size)?;
                return Ok(false);
            }
            Read1::Bad => {
                flush(&mut batch, state.size)?;
                return if good_frame_follows(file, path, state.bytes)? {
                    Err(damaged(state))
                } else {
                    Ok(true)
                };
            }
        };
        // The checksum holds, so it is no torn write: somebody put it there.
        visit(Entry::decode(&bytes).map_err(|_| damaged(state))?);
        state.push(bytes.len());
        batch.push(bytes);
        if batch.len() == BATCH {
            flush(&mut batch, state.size)?;
        }
    }
}

impl State {
    /// Counts an entry of `len` bytes.
    pub fn push(&mut self, len: usize) {
        if self.size.is_multiple_of(INDEX_EVERY) {
            self.index.push(self.bytes);
        }
        self.size += 1;
        self.bytes += frames::framed(len);
    }
}

fn good_frame_follows(mut file: &File, path: &Path, offset: u64) -> Result<bool, LogError> {
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(offset))
        .and_then(|_| file.read_to_end(&mut tail))
        .map_err(|e| LogError::io(path, e))?;
    Ok(frames::any_after(&tail))
}

fn check(dir: &Path, vouched: &Vouched, hashes: &HashFile, size: u64) -> Result<(), LogError> {
    let path = dir.join("checkpoint");
    if size < vouched.size {
        let what = format!("it vouches for {} entries, the log has {size}", vouched.size);
        return Err(LogError::Disagrees { path, what });
    }
    if hashes.root(vouched.size)? != vouched.root {
        let what = format!("one of the first {} entries was changed", vouched.size);
        return Err(LogError::Disagrees { path, what });
    }
    Ok(())
}

/// Cuts the file at `length`; how many bytes went.
fn cut(file: &File, path: &Path, length: u64) -> Result<u64, LogError> {
    let cut = || {
        let before = file.metadata()?.len();
        file.set_len(length)?;
        file.sync_all()?;
        Ok(before - length)
    };
    cut().map_err(|e| LogError::io(path, e))
}
