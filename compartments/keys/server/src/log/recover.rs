//! Opens the log: reads the entries of the last days, rebuilds their part of the tree, and finds
//! anything that is missing, torn or changed.

use std::fs::{self, File};
use std::path::Path;
use std::sync::{Mutex, RwLock};

use cofferdam_tlog::notes::read_checkpoint;
use cofferdam_tlog::{Hash, HashFile, Segments};
use keys_api::Entry;

use super::{LogError, Opened, Shared, Since};

/// The tree under the last checkpoint.
pub struct Vouched {
    size: u64,
    root: Hash,
}

/// The number of hashes that are written at once.
const BATCH: usize = 4_096;

/// Reads the checkpoint file, if there is one, and checks its signature.
pub fn last_checkpoint(path: &Path, verifier: &str) -> Result<Option<Vouched>, LogError> {
    let note = match fs::read_to_string(path) {
        Ok(note) => note,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(LogError::io(path, e)),
    };
    match read_checkpoint(&note, verifier) {
        Ok(checkpoint) => Ok(Some(Vouched { size: checkpoint.size(), root: *checkpoint.hash() })),
        Err(e) => Err(LogError::Disagrees {
            path: path.to_owned(),
            what: format!("the checkpoint is not good: {e}"),
        }),
    }
}

/// Reads the log from `since` on, hands every entry to `visit`, and cuts off a torn
/// end. Older entries are not read: their hashes must match the checkpoint. `cofferdam log verify`
/// reads all entries.
pub fn recover(
    dir: &Path,
    segments: Segments,
    vouched: Option<Vouched>,
    since: Since,
    visit: &mut dyn FnMut(Entry),
) -> Result<(Shared, Opened), LogError> {
    let hashes = HashFile::open(dir.join("hashes"))?;
    // The names of the files must survive a crash, as well as their content.
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| LogError::io(dir, e))?;
    let first = beginning(&segments, &hashes, since);
    let mut batch = Batch { hashes: &hashes, size: first, entries: Vec::with_capacity(BATCH) };
    let scanned = segments.scan(first, &mut |index, bytes| {
        visit(Entry::decode(&bytes).map_err(|_| LogError::Entry { index })?);
        batch.push(bytes)
    })?;
    batch.flush()?;
    hashes.truncate(scanned.size)?;
    if let Some(vouched) = vouched {
        check(dir, &vouched, &hashes, scanned.size)?;
    }
    if scanned.torn > 0 {
        segments.truncate(scanned.size)?;
    }
    let opened = Opened { entries: scanned.size, bytes_cut: scanned.torn };
    let size = RwLock::new(scanned.size);
    Ok((Shared { segments, hashes, size, trouble: Mutex::default() }, opened))
}

/// The first entry to read: the first of the day `since.day`, or of the last segment if no segment is
/// that late. An older database knows less, and needs more. If the tree does not reach so far, it is
/// the log's first entry.
fn beginning(segments: &Segments, hashes: &HashFile, since: Since) -> u64 {
    let names = segments.names();
    let wanted = names.iter().find(|name| name.day >= since.day).or(names.last());
    // An order is in the log before it is in the database, so the segment before counts as well.
    let unknown = names.iter().rposition(|name| name.first <= since.known);
    let unknown = unknown.and_then(|at| names.get(at.saturating_sub(1)));
    let first = [wanted, unknown].into_iter().flatten().map(|name| name.first).min().unwrap_or(0);
    if hashes.reaches(first) { first } else { 0 }
}

/// Entries whose hashes are still to be written.
struct Batch<'a> {
    hashes: &'a HashFile,
    /// The number of entries in the tree.
    size: u64,
    entries: Vec<Vec<u8>>,
}

impl Batch<'_> {
    fn push(&mut self, entry: Vec<u8>) -> Result<(), LogError> {
        self.entries.push(entry);
        if self.entries.len() == BATCH { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), LogError> {
        self.hashes.append(self.size, self.entries.iter().map(Vec::as_slice))?;
        self.size += self.entries.len() as u64;
        self.entries.clear();
        Ok(())
    }
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
