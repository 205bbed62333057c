//! Holding a checkpoint of a release log against the highest one that was seen before.

use cofferdam_core::{SeenCheckpoint, Timestamp};
use cofferdam_tlog::notes::read_checkpoint;
use cofferdam_tlog::{Hash, check_tree};
use keys_api::LogCheckpoint;

/// A checkpoint that the log can't have if it only grew since the one before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogRewritten {
    /// The note is not signed with the log's key.
    #[error("the checkpoint of {log} is not good: {why}")]
    Unsigned {
        /// The name of the log.
        log: String,
        /// The fault of the note.
        why: String,
    },
    /// The log has fewer entries.
    #[error("{log} had {had} entries and has {has} now")]
    Shorter {
        /// The name of the log.
        log: String,
        /// The number of entries that were seen.
        had: u64,
        /// The number of entries now.
        has: u64,
    },
    /// Entries that were seen are others now.
    #[error("entries among the first {had} of {log} were changed")]
    Changed {
        /// The name of the log.
        log: String,
        /// The number of entries that were seen.
        had: u64,
    },
}

/// The name of the log that a verifier key belongs to.
pub fn name_of(log_key: &str) -> &str {
    log_key.split('+').next().unwrap_or_default()
}

/// Holds a checkpoint against the one that was kept of the same log. Returns the checkpoint to keep
/// from now on, if it is a higher one. The first checkpoint of a log decides which key signs for it.
pub fn follow(
    kept: Option<&SeenCheckpoint>,
    told: &LogCheckpoint,
    now: Timestamp,
) -> Result<Option<SeenCheckpoint>, LogRewritten> {
    let log_key = kept.map_or(&told.log_key, |kept| &kept.log_key);
    let log = name_of(log_key).to_owned();
    let unsigned = |e: cofferdam_tlog::notes::BadNote| LogRewritten::Unsigned {
        log: log.clone(),
        why: e.to_string(),
    };
    let new = read_checkpoint(&told.note, log_key).map_err(unsigned)?;
    if let Some(kept) = kept {
        let old = read_checkpoint(&kept.note, log_key).map_err(unsigned)?;
        let (had, has) = (old.size(), new.size());
        if has < had {
            return Err(LogRewritten::Shorter { log, had, has });
        }
        if has == had {
            let is_same = new.hash() == old.hash();
            return if is_same { Ok(None) } else { Err(LogRewritten::Changed { log, had }) };
        }
        let proof = told.consistency.iter().map(|hash| Hash(*hash)).collect();
        if had > 0 && check_tree(&proof, has, *new.hash(), had, *old.hash()).is_err() {
            return Err(LogRewritten::Changed { log, had });
        }
    }
    let (log_key, note) = (log_key.clone(), told.note.clone());
    Ok(Some(SeenCheckpoint { log, log_key, size: new.size(), note, seen: now }))
}

#[cfg(test)]
mod tests {
    use cofferdam_core::KeyBytes;
    use cofferdam_tlog::HashFile;
    use cofferdam_tlog::notes::{NoteKey, NoteKind};

    use super::*;

    const NAME: &str = "keys.example/log";

    /// A log in memory, as `keys` would show it.
    struct Log {
        key: NoteKey,
        hashes: HashFile,
        _dir: tempfile::TempDir,
    }

    impl Log {
        fn of(seed: u8, entries: &[&str]) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let hashes = HashFile::open(dir.path().join("hashes")).unwrap();
            hashes.append(0, entries.iter().map(|entry| entry.as_bytes())).unwrap();
            let key = NoteKey::new(NoteKind::Log, NAME, &KeyBytes::new([seed; 32])).unwrap();
            Self { key, hashes, _dir: dir }
        }

        fn tell(&self, since: u64, size: u64) -> LogCheckpoint {
            let note = self.key.checkpoint(size, self.hashes.root(size).unwrap()).unwrap();
            let grown = 0 < since && since < size;
            let proof =
                if grown { self.hashes.consistency(since, size).unwrap() } else { Vec::new() };
            let consistency = proof.into_iter().map(|hash| hash.0).collect();
            LogCheckpoint { log_key: self.key.verifier(), note, consistency }
        }
    }

    fn first(log: &Log, size: u64) -> SeenCheckpoint {
        follow(None, &log.tell(0, size), Timestamp::UNIX_EPOCH).unwrap().unwrap()
    }

    #[test]
    fn the_highest_checkpoint_of_a_log_that_only_grows_is_kept() {
        let log = Log::of(1, &["a", "b", "c", "d", "e"]);
        let kept = first(&log, 3);
        assert_eq!((kept.log.as_str(), kept.size), (NAME, 3));
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(follow(Some(&kept), &log.tell(3, 3), now), Ok(None));
        let higher = follow(Some(&kept), &log.tell(3, 5), now).unwrap().unwrap();
        assert_eq!((higher.size, &higher.log_key), (5, &kept.log_key));
        let empty = first(&log, 0);
        assert_eq!(follow(Some(&empty), &log.tell(0, 2), now).unwrap().unwrap().size, 2);
    }

    #[test]
    fn a_log_that_was_emptied_or_rewritten_is_told() {
        let log = Log::of(1, &["a", "b", "c", "d", "e"]);
        let other = Log::of(1, &["a", "X", "c", "d", "e"]);
        let foreign = Log::of(2, &["a", "b", "c", "d", "e"]);
        let kept = first(&log, 3);
        let told = |of: LogCheckpoint| follow(Some(&kept), &of, Timestamp::UNIX_EPOCH);
        let changed = LogRewritten::Changed { log: NAME.to_owned(), had: 3 };
        assert_eq!(
            told(log.tell(0, 2)),
            Err(LogRewritten::Shorter { log: NAME.to_owned(), had: 3, has: 2 })
        );
        assert_eq!(told(other.tell(0, 3)), Err(changed.clone()));
        assert_eq!(told(other.tell(3, 5)), Err(changed.clone()), "a proof of another tree");
        assert_eq!(told(log.tell(0, 5)), Err(changed), "no proof at all");
        assert!(matches!(told(foreign.tell(3, 5)), Err(LogRewritten::Unsigned { .. })));
    }
}
