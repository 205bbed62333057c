//! The copy of the release log against an honest log and against every way of cheating.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

use std::path::PathBuf;

use cofferdam_core::{KeyBytes, Record, Timestamp};
use cofferdam_tlog::HashFile;
use cofferdam_tlog::notes::{NoteKey, NoteKind, cosigned_at};
use keys_api::{CheckpointAnswer, Entry, Event, RecordList};
use response_api::IncidentId;
use response_server::logs::{CopyError, LogCopy};

const ORIGIN: &str = "keys.example/log";

/// A log as `keys` keeps it, under the test's control.
struct Log {
    dir: tempfile::TempDir,
    hashes: HashFile,
    entries: Vec<Vec<u8>>,
    key: NoteKey,
}

impl Log {
    fn new(seed: u8, origin: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let hashes = HashFile::open(dir.path().join("hashes")).unwrap();
        let key = NoteKey::new(NoteKind::Log, origin, &KeyBytes::new([seed; 32])).unwrap();
        Self { key, dir, hashes, entries: Vec::new() }
    }

    fn copy_dir(&self) -> PathBuf {
        self.dir.path().join("copy")
    }

    fn copy(&self) -> Result<LogCopy, CopyError> {
        LogCopy::open(&self.copy_dir(), &self.key.verifier())
    }

    /// Adds entries `from..to`, whose content depends on `salt`.
    fn grow(&mut self, from: u32, to: u32, salt: u32) {
        for n in from..to {
            let event = Event::Hardened {
                caller: "web-ky-1".parse().unwrap(),
                via: "accounts".parse().unwrap(),
                records: RecordList::new(vec![Record(n * 10 + salt)]),
            };
            let entry = Entry { at: Timestamp::UNIX_EPOCH, event }.encode();
            self.hashes
                .append(self.entries.len() as u64, std::iter::once(entry.as_slice()))
                .unwrap();
            self.entries.push(entry);
        }
    }

    fn anchor(&mut self, length: u32) {
        let by = "response-1".parse().unwrap();
        let event = Event::JournalAnchored { by, journal: 1, length, head: [1; 32] };
        let entry = Entry { at: Timestamp::UNIX_EPOCH, event }.encode();
        let line = std::iter::once(entry.as_slice());
        self.hashes.append(self.entries.len() as u64, line).unwrap();
        self.entries.push(entry);
    }

    fn answer(&self, since: u64) -> CheckpointAnswer {
        let size = self.entries.len() as u64;
        let root = self.hashes.root(size).unwrap();
        let proof = match since {
            0 => Vec::new(),
            since if since >= size => Vec::new(),
            since => self.hashes.consistency(since, size).unwrap(),
        };
        CheckpointAnswer {
            note: self.key.checkpoint(size, root).unwrap(),
            consistency: proof.into_iter().map(|hash| hash.0).collect(),
        }
    }

    /// Copies the whole log, as the loop does.
    fn feed(&self, copy: &mut LogCopy) -> Result<(), CopyError> {
        let size = copy.begin(&self.answer(copy.end().size))?;
        let held = usize::try_from(copy.held()).unwrap();
        copy.push(&self.entries[held..usize::try_from(size).unwrap()])?;
        copy.commit()
    }
}

/// A log of 40 entries, 25 of them copied.
fn copied() -> (Log, LogCopy) {
    let mut log = Log::new(1, ORIGIN);
    log.grow(0, 25, 0);
    let mut copy = log.copy().unwrap();
    log.feed(&mut copy).unwrap();
    log.grow(25, 40, 0);
    (log, copy)
}

fn refusal(result: Result<(), CopyError>) -> String {
    match result {
        Err(CopyError::Disagreement(what)) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_honest_log_is_followed_across_restarts() {
    let (log, mut copy) = copied();
    assert_eq!(copy.end().size, 25);
    log.feed(&mut copy).unwrap();
    let end = copy.end();
    drop(copy);
    let mut copy = log.copy().unwrap();
    assert_eq!(copy.end(), end);
    log.feed(&mut copy).unwrap();
    assert_eq!(copy.end().size, 40);
}

#[test]
fn what_no_checkpoint_covers_is_dropped_at_a_restart() {
    let (log, mut copy) = copied();
    copy.begin(&log.answer(25)).unwrap();
    copy.push(&log.entries[25..30]).unwrap();
    drop(copy);
    let mut copy = log.copy().unwrap();
    assert_eq!(copy.end().size, 25);
    log.feed(&mut copy).unwrap();
    assert_eq!(copy.end().size, 40);
}

#[test]
fn the_anchors_of_journals_are_known_as_far_as_they_are_vouched_for() {
    let (mut log, _) = copied();
    log.anchor(3);
    log.grow(41, 45, 0);
    let mut copy = log.copy().unwrap();
    log.feed(&mut copy).unwrap();
    log.anchor(5);
    let lengths = |copy: &LogCopy| {
        let anchors = copy.anchors().of(IncidentId(1));
        anchors.iter().map(|of| (of.index, of.end.length)).collect::<Vec<_>>()
    };
    assert_eq!(lengths(&copy), [(40, 3)]);
    copy.begin(&log.answer(45)).unwrap();
    copy.push(&log.entries[45..]).unwrap();
    drop(copy);
    let mut copy = log.copy().unwrap();
    assert_eq!(lengths(&copy), [(40, 3)], "no checkpoint covers the second one");
    log.feed(&mut copy).unwrap();
    assert_eq!(lengths(&copy), [(40, 3), (45, 5)]);
}

/// Each way of cheating is refused and named, and the true log is then followed again.
#[test]
fn every_cheat_is_named() {
    type Cheat = fn(&Log, &mut LogCopy) -> Result<(), CopyError>;
    let cheats: [(&str, Cheat); 6] = [
        ("it had 25 entries and has 20 now", |_, copy| {
            let mut old = Log::new(1, ORIGIN);
            old.grow(0, 20, 0);
            old.feed(copy)
        }),
        ("another tree of the same 25 entries", |_, copy| {
            let mut other = Log::new(1, ORIGIN);
            other.grow(0, 25, 1);
            other.feed(copy)
        }),
        ("entries before 25 were changed", |_, copy| {
            let mut other = Log::new(1, ORIGIN);
            other.grow(0, 24, 0);
            other.grow(24, 40, 1);
            other.feed(copy)
        }),
        ("not those that its checkpoint vouches for", |log, copy| {
            let mut other = Log::new(1, ORIGIN);
            other.grow(0, 40, 1);
            copy.begin(&log.answer(25))?;
            copy.push(&other.entries[25..40])?;
            copy.commit()
        }),
        ("the checkpoint is not good", |_, copy| {
            let mut forged = Log::new(2, ORIGIN);
            forged.grow(0, 40, 0);
            forged.feed(copy)
        }),
        // The log of another instance, with that instance's honest signature.
        ("the checkpoint is not good", |_, copy| {
            let mut swapped = Log::new(3, "keys-2.example/log");
            swapped.grow(0, 40, 0);
            swapped.feed(copy)
        }),
    ];
    for (name, cheat) in cheats {
        let (log, mut copy) = copied();
        let said = refusal(cheat(&log, &mut copy));
        assert!(said.contains(name), "{said:?} instead of {name:?}");
        assert_eq!(copy.end().size, 25);
        log.feed(&mut copy).unwrap();
        assert_eq!(copy.end().size, 40, "after {name}");
    }
}

#[test]
fn a_changed_copy_is_found_at_the_next_start() {
    for file in ["00000000000000000000.1970-01-01.entries", "checkpoint"] {
        let (log, copy) = copied();
        drop(copy);
        let path = log.copy_dir().join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let Err(CopyError::Changed { .. }) = log.copy() else { panic!("{file} was taken") };
    }
    let (log, copy) = copied();
    drop(copy);
    std::fs::remove_file(log.copy_dir().join("hashes")).unwrap();
    assert_eq!(log.copy().unwrap().end().size, 25, "hashes are rebuilt");
}

#[test]
fn what_was_copied_is_cosigned() {
    let (log, copy) = copied();
    let witness = NoteKey::new(NoteKind::Witness, "response.example", &KeyBytes::new([9; 32]));
    let witness = witness.unwrap();
    let at: Timestamp = "2012-01-15T04:00:00Z".parse().unwrap();
    let note = copy.cosign(&witness, at).unwrap();
    assert!(note.starts_with(&copy.end().note));
    assert_eq!(cosigned_at(&note, &witness.verifier()), Ok(at));
    let cosigned = std::fs::read_to_string(log.copy_dir().join("cosigned")).unwrap();
    assert_eq!(cosigned, note);
}
