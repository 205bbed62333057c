//! What a worker sends, noted letter by letter in files of this machine: before a letter goes on
//! the wire, and when its outcome is known. The ledger learns of many outcomes at once; what it had
//! not learned when the process died stands here.
//!
//! Notes are handed to the system, not forced to disk: they survive the death of the process. After
//! that of the machine they may be missing, which the name of its boot tells.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};

use cofferdam_core::Timestamp;
use response_api::{LedgerState, LetterId};

use crate::store::{Holder, Outcome};

/// Notes a file holds before the next one begins.
const NOTES: u64 = 200_000;
/// Names the life of this machine since it was last started.
pub const BOOT: &str = "/proc/sys/kernel/random/boot_id";
const SUFFIX: &str = "outcomes";

/// The notes of one worker on one letter.
pub struct Journal {
    dir: PathBuf,
    name: String,
    boot: String,
    current: RwLock<Current>,
    /// By file: notes of letters whose outcome the ledger has not learned.
    open: Mutex<HashMap<u64, u64>>,
}

struct Current {
    number: u64,
    file: File,
    notes: std::sync::atomic::AtomicU64,
}

/// What an earlier worker left behind.
#[derive(Debug)]
pub struct Left {
    /// Who it was.
    pub holder: Holder,
    /// The letter it worked on.
    pub letter: LetterId,
    /// Whether every note it made is there.
    pub whole: bool,
    /// Outcomes, and doubts about what was on the wire, the last of each person.
    pub outcomes: Vec<Outcome>,
    files: Vec<PathBuf>,
}

impl Journal {
    /// A new journal.
    pub fn create(dir: &Path, letter: LetterId, holder: &Holder) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let boot = boot();
        let name = format!("{}.{letter}", holder.0);
        let file = begin(dir, &name, 0, &boot)?;
        let current = Current { number: 0, file, notes: 0.into() };
        Ok(Self {
            dir: dir.to_owned(),
            name,
            boot,
            current: RwLock::new(current),
            open: Mutex::default(),
        })
    }

    /// A person's letter is about to go on the wire. The number of the file that says so.
    pub fn sending(&self, person: u32) -> io::Result<u64> {
        let number = self.note(&format!("\nS {person}\n"))?;
        *self.open.lock().unwrap_or_else(PoisonError::into_inner).entry(number).or_default() += 1;
        Ok(number)
    }

    /// What became of it.
    pub fn outcome(&self, outcome: &Outcome) -> io::Result<()> {
        let state = outcome.state.as_str();
        let text: String =
            outcome.outcome.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let Outcome { person, provider, at, .. } = outcome;
        self.note(&format!("\nO {person} {state} {provider} {} {text}\n", at.as_millisecond()))?;
        Ok(())
    }

    /// The ledger has learned the outcomes of letters that these files noted. Files that say
    /// nothing new are removed.
    pub fn learned(&self, numbers: &[u64]) -> io::Result<()> {
        let current = {
            let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
            if *current.notes.get_mut() > NOTES {
                let number = current.number + 1;
                let file = begin(&self.dir, &self.name, number, &self.boot)?;
                *current = Current { number, file, notes: 0.into() };
            }
            current.number
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for number in numbers {
            if let Some(count) = open.get_mut(number) {
                *count -= 1;
            }
        }
        let done: Vec<_> = open
            .iter()
            .filter(|(n, count)| **count == 0 && **n < current)
            .map(|(n, _)| *n)
            .collect();
        for number in done {
            open.remove(&number);
            std::fs::remove_file(path(&self.dir, &self.name, number))?;
        }
        Ok(())
    }

    /// Removes it: the ledger knows all.
    pub fn end(&self) -> io::Result<()> {
        let last = self.current.read().unwrap_or_else(PoisonError::into_inner).number;
        for number in 0..=last {
            match std::fs::remove_file(path(&self.dir, &self.name, number)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        Ok(())
    }

    fn note(&self, line: &str) -> io::Result<u64> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        // One write a line, at the end of the file: no two mix. Each begins a line of its own, after
        // whatever part of another found room on a full disk.
        (&current.file).write_all(line.as_bytes())?;
        current.notes.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(current.number)
    }
}

/// What earlier workers of this machine left in `dir`, found at `now`.
pub fn left_behind(dir: &Path, now: Timestamp) -> io::Result<Vec<Left>> {
    std::fs::create_dir_all(dir)?;
    let mut workers: HashMap<String, Vec<(u64, PathBuf)>> = HashMap::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(stem) = name.strip_suffix(SUFFIX).and_then(|n| n.strip_suffix('.')) else {
            continue;
        };
        let Some((worker, number)) = stem.rsplit_once('.') else { continue };
        let Ok(number) = number.parse() else { continue };
        workers.entry(worker.to_owned()).or_default().push((number, path));
    }
    let booted = boot();
    let mut left = Vec::with_capacity(workers.len());
    for (worker, mut files) in workers {
        let Some((holder, letter)) = worker.rsplit_once('.') else { continue };
        let Ok(letter) = letter.parse() else { continue };
        files.sort_unstable();
        let mut whole = !booted.is_empty();
        let mut last = HashMap::new();
        for (_, path) in &files {
            whole &= read(path, &booted, now, &mut last)?;
        }
        left.push(Left {
            holder: Holder(holder.to_owned()),
            letter: LetterId(letter),
            whole,
            outcomes: last.into_values().collect(),
            files: files.into_iter().map(|(_, path)| path).collect(),
        });
    }
    Ok(left)
}

impl Left {
    /// Removes the notes: the ledger knows all.
    pub fn forget(self) -> io::Result<()> {
        self.files.iter().try_for_each(std::fs::remove_file)
    }
}

/// Reads the notes of a file; whether it is of this boot.
fn read(
    path: &Path,
    boot: &str,
    now: Timestamp,
    last: &mut HashMap<u32, Outcome>,
) -> io::Result<bool> {
    let mut same = false;
    for line in BufReader::new(File::open(path)?).split(b'\n') {
        // A line that was torn is of another boot.
        let line = String::from_utf8_lossy(&line?).into_owned();
        let mut words = line.splitn(6, ' ');
        match (words.next(), words.next()) {
            (Some("B"), Some(of)) => same = of == boot,
            (Some("S"), Some(person)) => {
                let Ok(person) = person.parse() else { continue };
                let outcome = "its text was on the way when the process died".to_owned();
                let state = LedgerState::InDoubt;
                last.insert(person, Outcome { person, state, provider: 0, outcome, at: now });
            }
            (Some("O"), Some(person)) => {
                let (Ok(person), Some(state), Some(provider), Some(at), Some(outcome)) = (
                    person.parse(),
                    words.next(),
                    words.next(),
                    words.next().and_then(instant),
                    words.next(),
                ) else {
                    // Torn before its end: that the letter went on the wire stands before.
                    continue;
                };
                let named = |of: &LedgerState| of.as_str() == state;
                let Some(state) = LedgerState::ALL.into_iter().find(named) else { continue };
                let provider = provider.parse().unwrap_or(0);
                let outcome = outcome.to_owned();
                last.insert(person, Outcome { person, state, provider, outcome, at });
            }
            _ => {}
        }
    }
    Ok(same)
}

fn instant(millis: &str) -> Option<Timestamp> {
    Timestamp::from_millisecond(millis.parse().ok()?).ok()
}

fn begin(dir: &Path, name: &str, number: u64, boot: &str) -> io::Result<File> {
    let path = path(dir, name, number);
    let mut file = OpenOptions::new().create_new(true).append(true).open(path)?;
    file.write_all(format!("B {boot}\n").as_bytes())?;
    Ok(file)
}

fn path(dir: &Path, name: &str, number: u64) -> PathBuf {
    dir.join(format!("{name}.{number}.{SUFFIX}"))
}

fn boot() -> String {
    std::fs::read_to_string(BOOT).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> Timestamp {
        "2012-01-15T18:30:05.123Z".parse().unwrap()
    }

    fn outcome(person: u32, state: LedgerState, outcome: &str) -> Outcome {
        Outcome { person, state, provider: 3, outcome: outcome.to_owned(), at: at() }
    }

    #[test]
    fn what_was_on_the_wire_is_in_doubt_and_what_was_heard_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let holder = Holder("one".to_owned());
        let journal = Journal::create(dir.path(), LetterId(2), &holder).unwrap();
        for person in [7, 8, 9] {
            journal.sending(person).unwrap();
        }
        journal.outcome(&outcome(7, LedgerState::Accepted, "4XyZ 1\n2")).unwrap();
        journal.outcome(&outcome(8, LedgerState::Bounced, "550 no")).unwrap();
        drop(journal);
        let [left] = <[_; 1]>::try_from(left_behind(dir.path(), at()).unwrap()).unwrap();
        assert_eq!((&left.holder, left.letter, left.whole), (&holder, LetterId(2), true));
        let mut found = left.outcomes.clone();
        found.sort_by_key(|of| of.person);
        assert_eq!(found[0], outcome(7, LedgerState::Accepted, "4XyZ 1 2"));
        assert_eq!(found[1], outcome(8, LedgerState::Bounced, "550 no"));
        assert_eq!((found[2].person, found[2].state), (9, LedgerState::InDoubt));
        left.forget().unwrap();
        assert!(left_behind(dir.path(), at()).unwrap().is_empty());
    }

    #[test]
    fn notes_of_another_boot_may_be_missing() {
        let dir = tempfile::tempdir().unwrap();
        let path = path(dir.path(), "one.2", 0);
        std::fs::write(path, "B another\nS 7\nO 7 accepted 3 1326").unwrap();
        let left = left_behind(dir.path(), at()).unwrap();
        assert!(!left[0].whole);
        assert_eq!(left[0].outcomes[0].state, LedgerState::InDoubt);
    }

    #[test]
    fn files_that_say_nothing_new_go() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::create(dir.path(), LetterId(2), &Holder("one".into())).unwrap();
        let files = || std::fs::read_dir(dir.path()).unwrap().count();
        let mut numbers = Vec::new();
        for person in 0..300_000 {
            numbers.push(journal.sending(person).unwrap());
        }
        journal.learned(&numbers[..1_000]).unwrap();
        assert_eq!(files(), 2);
        journal.learned(&numbers[1_000..]).unwrap();
        assert_eq!(files(), 1);
        journal.end().unwrap();
        assert_eq!(files(), 0);
    }
}
