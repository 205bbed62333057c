//! Sending notes in files of this machine. A note is written before a letter goes on the wire, and
//! when its outcome is known. The ledger gets many outcomes at once, so these files hold what it
//! had not recorded when the process died.
//!
//! Notes are handed to the operating system and not forced to disk: they survive the death of the
//! process. After a restart of the machine some may be missing, which the boot id at the start of a
//! file tells.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use cofferdam_core::Timestamp;
use response_api::{LedgerState, LetterId};
use response_mailing::{Holder, LeftNotes, NoteKeeper, Outcome, SendingNotes};

/// The most notes in a file.
const NOTES_PER_FILE: u64 = 200_000;
/// The file that identifies the machine's uptime since its last start.
pub const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// The extension of note files: `HOLDER.LETTER.NUMBER.outcomes`.
const EXTENSION: &str = "outcomes";

/// The directory of the notes.
pub struct NoteFiles {
    dir: PathBuf,
    /// Locked for as long as this process lives, so that no other process recovers its notes.
    _lock: File,
}

/// The notes of one worker on one letter.
struct WorkerNotes {
    dir: PathBuf,
    /// `HOLDER.LETTER`, the beginning of the files' names.
    worker: String,
    boot: String,
    current: RwLock<CurrentFile>,
    /// For each file, the number of letters whose outcome the ledger has not recorded.
    unrecorded: Mutex<HashMap<u64, u64>>,
}

struct CurrentFile {
    number: u64,
    file: File,
    notes: AtomicU64,
}

impl NoteFiles {
    /// Takes the directory for this process. Waits for another process that still finishes its
    /// letters.
    pub fn open(dir: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let lock = File::create(dir.join("lock"))?;
        if lock.try_lock().is_err() {
            tracing::warn!(dir = %dir.display(), "another process has the sending notes; waiting");
            lock.lock()?;
        }
        Ok(Self { dir: dir.to_owned(), _lock: lock })
    }
}

impl NoteKeeper for NoteFiles {
    fn begin(&self, letter: LetterId, holder: &Holder) -> io::Result<Box<dyn SendingNotes>> {
        let boot = boot_id();
        let worker = format!("{}.{letter}", holder.0);
        let file = begin_file(&self.dir, &worker, 0, &boot)?;
        let current = CurrentFile { number: 0, file, notes: AtomicU64::new(0) };
        Ok(Box::new(WorkerNotes {
            dir: self.dir.clone(),
            worker,
            boot,
            current: RwLock::new(current),
            unrecorded: Mutex::default(),
        }))
    }

    fn left_behind(&self, now: Timestamp) -> io::Result<Vec<LeftNotes>> {
        let boot = boot_id();
        let mut left = Vec::new();
        for (worker, files) in self.files_by_worker()? {
            let Some((holder, letter)) = worker.rsplit_once('.') else { continue };
            let Ok(letter) = letter.parse() else { continue };
            let mut complete = !boot.is_empty();
            let mut last_notes = HashMap::new();
            for path in files {
                complete &= read_file(&path, &boot, now, &mut last_notes)?;
            }
            left.push(LeftNotes {
                holder: Holder(holder.to_owned()),
                letter: LetterId(letter),
                complete,
                outcomes: last_notes.into_values().collect(),
            });
        }
        Ok(left)
    }

    fn forget(&self, left: &LeftNotes) -> io::Result<()> {
        let worker = format!("{}.{}", left.holder.0, left.letter);
        let files = self.files_by_worker()?.remove(&worker).unwrap_or_default();
        files.iter().try_for_each(std::fs::remove_file)
    }
}

impl NoteFiles {
    /// The files of each worker, in the order in which they were written.
    fn files_by_worker(&self) -> io::Result<HashMap<String, Vec<PathBuf>>> {
        let mut workers: HashMap<String, Vec<(u64, PathBuf)>> = HashMap::new();
        for entry in std::fs::read_dir(&self.dir)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let stem = name.strip_suffix(EXTENSION).and_then(|name| name.strip_suffix('.'));
            let Some((worker, number)) = stem.and_then(|stem| stem.rsplit_once('.')) else {
                continue;
            };
            let Ok(number) = number.parse() else { continue };
            workers.entry(worker.to_owned()).or_default().push((number, path));
        }
        let in_order = |(worker, mut files): (String, Vec<(u64, PathBuf)>)| {
            files.sort_unstable();
            (worker, files.into_iter().map(|(_, path)| path).collect())
        };
        Ok(workers.into_iter().map(in_order).collect())
    }
}

impl SendingNotes for WorkerNotes {
    fn sending(&self, person: u32) -> io::Result<u64> {
        let number = self.write(&format!("\nS {person}\n"))?;
        *lock(&self.unrecorded).entry(number).or_default() += 1;
        Ok(number)
    }

    fn outcome(&self, outcome: &Outcome) -> io::Result<()> {
        let Outcome { person, state, provider, at, detail } = outcome;
        let (state, at) = (state.as_str(), at.as_millisecond());
        let detail: String = detail.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.write(&format!("\nO {person} {state} {provider} {at} {detail}\n"))?;
        Ok(())
    }

    fn recorded(&self, files: &[u64]) -> io::Result<()> {
        let current = self.roll_over()?;
        let mut unrecorded = lock(&self.unrecorded);
        for number in files {
            if let Some(count) = unrecorded.get_mut(number) {
                *count -= 1;
            }
        }
        let is_done = |(number, count): &(&u64, &u64)| **count == 0 && **number < current;
        let done: Vec<_> = unrecorded.iter().filter(is_done).map(|(number, _)| *number).collect();
        for number in done {
            unrecorded.remove(&number);
            std::fs::remove_file(path_of(&self.dir, &self.worker, number))?;
        }
        Ok(())
    }

    fn end(&self) -> io::Result<()> {
        let last = self.current.read().unwrap_or_else(PoisonError::into_inner).number;
        for number in 0..=last {
            match std::fs::remove_file(path_of(&self.dir, &self.worker, number)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        Ok(())
    }
}

impl WorkerNotes {
    /// Begins the next file if the current one is full, and returns the current file's number.
    fn roll_over(&self) -> io::Result<u64> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if *current.notes.get_mut() > NOTES_PER_FILE {
            let number = current.number + 1;
            let file = begin_file(&self.dir, &self.worker, number, &self.boot)?;
            *current = CurrentFile { number, file, notes: AtomicU64::new(0) };
        }
        Ok(current.number)
    }

    /// Appends a line in one write, so that lines of different tasks never mix. It begins with a
    /// line break, because a full disk may have cut the line before.
    fn write(&self, line: &str) -> io::Result<u64> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        (&current.file).write_all(line.as_bytes())?;
        current.notes.fetch_add(1, Ordering::Relaxed);
        Ok(current.number)
    }
}

/// Reads the last note of each person; `true` if the file is of this boot.
fn read_file(
    path: &Path,
    boot: &str,
    now: Timestamp,
    last_notes: &mut HashMap<u32, Outcome>,
) -> io::Result<bool> {
    let mut is_of_this_boot = false;
    for line in BufReader::new(File::open(path)?).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        match line.split_once(' ') {
            Some(("B", of)) => is_of_this_boot = of == boot,
            Some(("S", person)) => {
                let Ok(person) = person.parse() else { continue };
                let detail = "its text was on the wire when the process died".to_owned();
                let state = LedgerState::InDoubt;
                last_notes.insert(person, Outcome { person, state, provider: 0, detail, at: now });
            }
            Some(("O", rest)) => {
                // A torn outcome is skipped. The note before it says that the letter was on the
                // wire.
                if let Some(outcome) = read_outcome(rest) {
                    last_notes.insert(outcome.person, outcome);
                }
            }
            _ => {}
        }
    }
    Ok(is_of_this_boot)
}

fn read_outcome(line: &str) -> Option<Outcome> {
    let mut words = line.splitn(5, ' ');
    let person = words.next()?.parse().ok()?;
    let state = words.next()?;
    let state = LedgerState::ALL.into_iter().find(|known| known.as_str() == state)?;
    let provider = words.next()?.parse().ok()?;
    let at = Timestamp::from_millisecond(words.next()?.parse().ok()?).ok()?;
    Some(Outcome { person, state, provider, detail: words.next()?.to_owned(), at })
}

fn begin_file(dir: &Path, worker: &str, number: u64, boot: &str) -> io::Result<File> {
    let path = path_of(dir, worker, number);
    let mut file = OpenOptions::new().create_new(true).append(true).open(path)?;
    file.write_all(format!("B {boot}\n").as_bytes())?;
    Ok(file)
}

fn path_of(dir: &Path, worker: &str, number: u64) -> PathBuf {
    dir.join(format!("{worker}.{number}.{EXTENSION}"))
}

fn boot_id() -> String {
    std::fs::read_to_string(BOOT_ID).unwrap_or_default().trim().to_owned()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Timestamp {
        "2012-01-15T18:30:05.123Z".parse().unwrap()
    }

    fn outcome(person: u32, state: LedgerState, detail: &str) -> Outcome {
        Outcome { person, state, provider: 3, detail: detail.to_owned(), at: at() }
    }

    fn left(notes: &NoteFiles) -> Vec<Outcome> {
        let [left] = <[_; 1]>::try_from(notes.left_behind(at()).unwrap()).unwrap();
        let mut outcomes = left.outcomes;
        outcomes.sort_by_key(|outcome| outcome.person);
        outcomes
    }

    #[test]
    fn a_letter_on_the_wire_is_in_doubt_and_an_answered_one_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let notes = NoteFiles::open(dir.path()).unwrap();
        let holder = Holder("one".to_owned());
        let worker = notes.begin(LetterId(2), &holder).unwrap();
        for person in [7, 8, 9] {
            worker.sending(person).unwrap();
        }
        worker.outcome(&outcome(7, LedgerState::Accepted, "4XyZ 1\n2")).unwrap();
        worker.outcome(&outcome(8, LedgerState::Bounced, "550 no")).unwrap();
        drop(worker);
        let found = left(&notes);
        assert_eq!(found[0], outcome(7, LedgerState::Accepted, "4XyZ 1 2"));
        assert_eq!(found[1], outcome(8, LedgerState::Bounced, "550 no"));
        assert_eq!((found[2].person, found[2].state), (9, LedgerState::InDoubt));

        let whole = notes.left_behind(at()).unwrap().remove(0);
        assert_eq!((&whole.holder, whole.letter, whole.complete), (&holder, LetterId(2), true));
        notes.forget(&whole).unwrap();
        assert_eq!(notes.left_behind(at()).unwrap(), []);
    }

    #[test]
    fn notes_of_another_boot_may_be_missing_and_torn_ones_are_skipped() {
        let dir = tempfile::tempdir().unwrap();
        let notes = NoteFiles::open(dir.path()).unwrap();
        let path = path_of(dir.path(), "one.2", 0);
        std::fs::write(path, "B another\nS 7\nO 7 accepted 3 1326").unwrap();
        let left = notes.left_behind(at()).unwrap();
        assert!(!left[0].complete);
        assert_eq!(left[0].outcomes[0].state, LedgerState::InDoubt);
    }

    /// Eleven files, so that an order by name would read file 10 before file 2.
    #[test]
    fn the_last_note_of_a_person_counts_in_whatever_file_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let notes = NoteFiles::open(dir.path()).unwrap();
        for number in 0..11 {
            let mut file = begin_file(dir.path(), "one.2", number, &boot_id()).unwrap();
            let millis = at().as_millisecond();
            write!(file, "\nS 7\n\nO 7 accepted 3 {millis} answer {number}\n").unwrap();
        }
        assert_eq!(left(&notes), [outcome(7, LedgerState::Accepted, "answer 10")]);
    }

    #[test]
    fn files_that_hold_nothing_new_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let notes = NoteFiles::open(dir.path()).unwrap();
        let worker = notes.begin(LetterId(2), &Holder("one".into())).unwrap();
        let files = || {
            let entries = std::fs::read_dir(dir.path()).unwrap();
            entries.filter(|entry| entry.as_ref().unwrap().file_name() != "lock").count()
        };
        let numbers: Vec<_> = (0..300_000).map(|person| worker.sending(person).unwrap()).collect();
        worker.recorded(&numbers[..1_000]).unwrap();
        assert_eq!(files(), 2);
        worker.recorded(&numbers[1_000..]).unwrap();
        assert_eq!(files(), 1);
        worker.end().unwrap();
        assert_eq!(files(), 0);
    }
}
