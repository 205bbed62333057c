use std::path::Path;

use cofferdam_core::{Record, SystemRng, Timestamp};
use keys_api::{Event, RecordList};

use super::*;
use crate::ceremony::{NoteKey, Secrets, create_secrets, note_key};

const ORIGIN: &str = "keys.example/log";

struct Bench {
    dir: tempfile::TempDir,
    key: NoteKey,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let secrets = dir.path().join("secrets");
        create_secrets(&secrets, ORIGIN, &SystemRng).unwrap();
        let key = note_key(&Secrets::load(&secrets).unwrap().log, ORIGIN).unwrap();
        Self { dir, key }
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    fn open(&self) -> Result<(ReleaseLog, Opened, Vec<Entry>), LogError> {
        let mut seen = Vec::new();
        let signer = self.key.signer.clone();
        let (log, opened) =
            ReleaseLog::open(&self.log(), ORIGIN, signer, &self.key.verifier, &mut |entry| {
                seen.push(entry);
            })?;
        Ok((log, opened, seen))
    }

    /// A log of `n` entries, closed.
    async fn filled(n: u32) -> Self {
        let bench = Self::new();
        let (log, ..) = bench.open().unwrap();
        for i in 0..n {
            log.append(&entry(i)).await.unwrap();
        }
        log.close().await.unwrap();
        bench
    }
}

fn entry(n: u32) -> Entry {
    let event = Event::Hardened {
        caller: "web-ky-1".parse().unwrap(),
        via: "accounts".parse().unwrap(),
        records: RecordList::new(vec![Record(n)]),
    };
    Entry { at: Timestamp::UNIX_EPOCH, event }
}

fn change(path: &Path, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    edit(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn what_was_appended_is_there_after_a_restart() {
    let bench = Bench::filled(600).await;
    let (log, opened, seen) = bench.open().unwrap();
    assert_eq!(opened, Opened { entries: 600, bytes_cut: 0 });
    assert_eq!(seen, (0..600).map(entry).collect::<Vec<_>>());
    let some = log.entries(510, 4).unwrap();
    let some: Vec<_> = some.iter().map(|bytes| Entry::decode(bytes).unwrap()).collect();
    assert_eq!(some, (510..514).map(entry).collect::<Vec<_>>());
    assert!(log.entries(600, 10).unwrap().is_empty());
    assert!(matches!(log.entries(601, 1), Err(LogError::Beyond { .. })));
}

#[tokio::test]
async fn one_process_has_the_log() {
    let bench = Bench::filled(1).await;
    let _open = bench.open().unwrap();
    assert!(matches!(bench.open(), Err(LogError::Locked(_))));
}

#[tokio::test]
async fn growth_is_proved_to_an_outsider() {
    let bench = Bench::filled(300).await;
    let (log, ..) = bench.open().unwrap();
    let before = log.shared.hashes.root(300).unwrap();
    for i in 300..700 {
        log.append(&entry(i)).await.unwrap();
    }
    let (note, size) = log.checkpoint().unwrap();
    assert_eq!(size, 700);
    let note = Note::from_bytes(note.as_bytes()).unwrap();
    let checkpoint = Checkpoint::from_bytes(note.text()).unwrap();
    let proof = log.consistency(300, 700).unwrap();
    cofferdam_store::tlog::check_tree(&proof, 700, *checkpoint.hash(), 300, before).unwrap();
}

/// Any prefix of the last frame is a write that was cut short: found, reported, cut.
#[tokio::test]
async fn a_torn_end_is_cut_and_reported() {
    let whole = fs::read(Bench::filled(3).await.log().join("entries")).unwrap();
    let frame = whole.len() / 3;
    for torn in 1..frame {
        let bench = Bench::filled(2).await;
        change(&bench.log().join("entries"), |bytes| {
            bytes.extend_from_slice(&whole[..torn]);
        });
        let (log, opened, _) = bench.open().unwrap();
        assert_eq!(opened, Opened { entries: 2, bytes_cut: torn as u64 });
        log.append(&entry(2)).await.unwrap();
        log.close().await.unwrap();
        drop(log);
        assert_eq!(bench.open().unwrap().1, Opened { entries: 3, bytes_cut: 0 });
    }
}

#[tokio::test]
async fn damage_before_the_end_is_never_cut() {
    let bench = Bench::filled(5).await;
    let path = bench.log().join("entries");
    let length = fs::metadata(&path).unwrap().len();
    change(&path, |bytes| bytes[20] ^= 1);
    assert!(matches!(bench.open(), Err(LogError::Damaged { offset: 0, .. })));
    assert_eq!(fs::metadata(&path).unwrap().len(), length);
}

/// Entries that the checkpoint vouches for were taken away at a frame's boundary.
#[tokio::test]
async fn a_shortened_log_is_found() {
    let bench = Bench::filled(5).await;
    change(&bench.log().join("entries"), |bytes| {
        let frame = bytes.len() / 5;
        bytes.truncate(4 * frame);
    });
    let refused = bench.open().err().unwrap().to_string();
    assert!(refused.contains("vouches for 5 entries, the log has 4"), "{refused}");
}

/// Well-formed entries in another order, or another entry in one's place.
#[tokio::test]
async fn a_rewritten_log_is_found() {
    for target in [0, 3] {
        let bench = Bench::filled(5).await;
        change(&bench.log().join("entries"), |bytes| {
            let frame = bytes.len() / 5;
            let mut other = Vec::new();
            frames::push(&mut other, &entry(99).encode());
            bytes[target * frame..(target + 1) * frame].copy_from_slice(&other);
        });
        let refused = bench.open().err().unwrap().to_string();
        assert!(refused.contains("one of the first 5 entries was changed"), "{refused}");
    }
}

#[tokio::test]
async fn a_lost_hash_file_is_rebuilt() {
    let bench = Bench::filled(300).await;
    let before = bench.open().unwrap().0.checkpoint().unwrap();
    fs::remove_file(bench.log().join("hashes")).unwrap();
    assert_eq!(bench.open().unwrap().0.checkpoint().unwrap(), before);
    change(&bench.log().join("hashes"), |bytes| bytes[100] ^= 1);
    assert_eq!(bench.open().unwrap().0.checkpoint().unwrap(), before);
}
