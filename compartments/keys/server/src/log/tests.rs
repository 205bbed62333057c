use std::path::Path;

use cofferdam_core::{KeyBytes, Record, Timestamp};
use cofferdam_tlog::frames;
use cofferdam_tlog::notes::NoteKind;
use jiff::SignedDuration;
use keys_api::{Event, RecordList};

use cofferdam_index::Detail;

use super::*;

const ORIGIN: &str = "keys.example/log";
const SEGMENT: &str = "00000000000000000000.1970-01-01.entries";

/// A log in a directory of its own.
struct TestLog {
    dir: tempfile::TempDir,
}

fn key(kind: NoteKind, seed: u8) -> NoteKey {
    NoteKey::new(kind, ORIGIN, &KeyBytes::new([seed; 32])).unwrap()
}

impl TestLog {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    fn archive(&self) -> PathBuf {
        self.dir.path().join("archive")
    }

    fn segment(&self) -> PathBuf {
        self.log().join(SEGMENT)
    }

    fn open(&self) -> Result<(ReleaseLog, Opened, Vec<Entry>), LogError> {
        self.open_since(Since { day: Day(0), known: 0 })
    }

    fn open_since(&self, since: Since) -> Result<(ReleaseLog, Opened, Vec<Entry>), LogError> {
        let mut seen = Vec::new();
        let (dir, archive) = (self.log(), self.archive());
        let place = Place {
            origin: ORIGIN,
            dir: &dir,
            archive: Some(&archive),
            key: key(NoteKind::Log, 1),
            witness: Some(key(NoteKind::Witness, 2).verifier()),
        };
        let (log, opened) = ReleaseLog::open(place, since, &mut |entry| seen.push(entry))?;
        Ok((log, opened, seen))
    }

    /// A log of `n` entries, closed.
    async fn filled(n: u32) -> Self {
        let test = Self::new();
        let (log, ..) = test.open().unwrap();
        for i in 0..n {
            log.append(&[entry(i)]).await.unwrap();
        }
        log.close().await.unwrap();
        test
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

/// The `n`th of entries that are an hour apart, from 1970 on.
fn hourly(n: u32) -> Entry {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(n.into());
    Entry { at, ..entry(n) }
}

fn change(path: &Path, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    edit(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn entries_are_there_after_a_restart() {
    let test = TestLog::filled(600).await;
    let (log, opened, seen) = test.open().unwrap();
    assert_eq!(opened, Opened { entries: 600, bytes_cut: 0 });
    assert_eq!(seen, (0..600).map(entry).collect::<Vec<_>>());
    let some = log.entries(510, 4).unwrap();
    let some: Vec<_> = some.iter().map(|bytes| Entry::decode(bytes).unwrap()).collect();
    assert_eq!(some, (510..514).map(entry).collect::<Vec<_>>());
    assert!(log.entries(600, 10).unwrap().is_empty());
    assert!(matches!(log.entries(601, 1), Err(LogError::Beyond { .. })));
}

#[tokio::test]
async fn only_one_process_opens_the_log() {
    let test = TestLog::filled(1).await;
    let _open = test.open().unwrap();
    assert!(matches!(test.open(), Err(LogError::Locked(_))));
}

#[tokio::test]
async fn growth_is_proved_to_an_outsider() {
    let test = TestLog::filled(300).await;
    let (log, ..) = test.open().unwrap();
    let before = log.shared.hashes.root(300).unwrap();
    for i in 300..700 {
        log.append(&[entry(i)]).await.unwrap();
    }
    let (note, size) = log.checkpoint().unwrap();
    assert_eq!(size, 700);
    let checkpoint = read_checkpoint(&note, &key(NoteKind::Log, 1).verifier()).unwrap();
    let proof = log.consistency(300, 700).unwrap();
    cofferdam_tlog::check_tree(&proof, 700, *checkpoint.hash(), 300, before).unwrap();
}

/// Each prefix of the last frame is a write that was cut short. It is found, reported and cut off.
#[tokio::test]
async fn a_torn_end_is_cut_and_reported() {
    let whole = fs::read(TestLog::filled(3).await.segment()).unwrap();
    let frame = whole.len() / 3;
    for torn in 1..frame {
        let test = TestLog::filled(2).await;
        change(&test.segment(), |bytes| {
            bytes.extend_from_slice(&whole[..torn]);
        });
        let (log, opened, _) = test.open().unwrap();
        assert_eq!(opened, Opened { entries: 2, bytes_cut: torn as u64 });
        log.append(&[entry(2)]).await.unwrap();
        log.close().await.unwrap();
        drop(log);
        assert_eq!(test.open().unwrap().1, Opened { entries: 3, bytes_cut: 0 });
    }
}

#[tokio::test]
async fn damage_before_the_end_is_never_cut() {
    let test = TestLog::filled(5).await;
    let path = test.segment();
    let length = fs::metadata(&path).unwrap().len();
    change(&path, |bytes| bytes[20] ^= 1);
    let refused = test.open().err().unwrap();
    assert!(matches!(refused, LogError::File(TlogError::Damaged { offset: 0, .. })), "{refused}");
    assert_eq!(fs::metadata(&path).unwrap().len(), length);
}

/// Entries that the checkpoint covers were cut off at the end of a frame.
#[tokio::test]
async fn a_shortened_log_is_found() {
    let test = TestLog::filled(5).await;
    change(&test.segment(), |bytes| {
        let frame = bytes.len() / 5;
        bytes.truncate(4 * frame);
    });
    let refused = test.open().err().unwrap().to_string();
    assert!(refused.contains("vouches for 5 entries, the log has 4"), "{refused}");
}

/// Entries were swapped, or one was replaced.
#[tokio::test]
async fn a_rewritten_log_is_found() {
    for target in [0, 3] {
        let test = TestLog::filled(5).await;
        change(&test.segment(), |bytes| {
            let frame = bytes.len() / 5;
            let mut other = Vec::new();
            frames::push(&mut other, &entry(99).encode());
            bytes[target * frame..(target + 1) * frame].copy_from_slice(&other);
        });
        let refused = test.open().err().unwrap().to_string();
        assert!(refused.contains("one of the first 5 entries was changed"), "{refused}");
    }
}

#[tokio::test]
async fn a_lost_hash_file_is_rebuilt() {
    let test = TestLog::filled(300).await;
    let before = test.open().unwrap().0.checkpoint().unwrap();
    fs::remove_file(test.log().join("hashes")).unwrap();
    assert_eq!(test.open().unwrap().0.checkpoint().unwrap(), before);
    change(&test.log().join("hashes"), |bytes| bytes[100] ^= 1);
    assert_eq!(test.open().unwrap().0.checkpoint().unwrap(), before);
}

#[tokio::test]
async fn days_are_segments_of_one_log() {
    let test = TestLog::new();
    let (log, ..) = test.open().unwrap();
    for n in 0..24 * 120 {
        log.append(&[hourly(n)]).await.unwrap();
    }
    // A clock that is set back starts no new segment.
    log.append(&[hourly(0), hourly(1)]).await.unwrap();
    log.tidy(Day(120)).unwrap();
    let all = |log: &ReleaseLog| {
        let mut seen = Vec::new();
        while (seen.len() as u64) < log.size() {
            seen.extend(log.entries(seen.len() as u64, 1_000).unwrap());
        }
        seen.iter().map(|bytes| Entry::decode(bytes).unwrap()).collect::<Vec<_>>()
    };
    let expected: Vec<_> = (0..24 * 120).chain(0..2).map(hourly).collect();
    assert_eq!(all(&log), expected);
    let checkpoint = log.checkpoint().unwrap();
    log.close().await.unwrap();
    drop(log);

    let count = |dir: PathBuf, end: &str| {
        let names = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name());
        names.filter(|name| name.to_str().unwrap().ends_with(end)).count()
    };
    assert_eq!((count(test.log(), ".entries"), count(test.archive(), ".entries")), (93, 27));
    assert_eq!(count(test.log(), ".index"), 119);

    // A database that knows no entry from the middle of day 60 on has the days from 59 on read.
    let older = Since { day: Day(118), known: 24 * 60 + 12 };
    let (log, _, seen) = test.open_since(older).unwrap();
    assert_eq!(seen.len(), 24 * 61 + 2);
    log.close().await.unwrap();
    drop(log);

    // Only the last days are read at start, and the whole log can be read nevertheless.
    let newest = Since { day: Day(118), known: 24 * 120 + 2 };
    let (log, opened, seen) = test.open_since(newest).unwrap();
    assert_eq!((opened.entries, seen.len()), (24 * 120 + 2, 50));
    assert_eq!(log.checkpoint().unwrap(), checkpoint);
    assert_eq!(all(&log), expected);
}

#[tokio::test]
async fn the_index_agrees_with_the_log() {
    let test = TestLog::new();
    let (log, ..) = test.open().unwrap();
    for n in 0..72 {
        log.append(&[hourly(n)]).await.unwrap();
    }
    log.tidy(Day(3)).unwrap();
    let segments = log.shared.segments.names();
    let load = || index::load(&test.log(), segments[1], &|_| true, &|_| Detail::Parts);
    let whole = index::load(&test.log(), segments[1], &|_| true, &|_| Detail::Whole);
    let whole: Vec<u32> = whole.unwrap().whole.values().flatten().collect();
    assert_eq!(whole, (24..48).collect::<Vec<_>>());
    let index = load().unwrap();
    let rows: Vec<_> = index
        .bitmaps
        .iter()
        .map(|(key, parts)| {
            let records: Vec<u32> = parts.iter().flat_map(|(_, records)| records).collect();
            (key.caller.as_str(), key.field, parts.len(), records)
        })
        .collect();
    assert_eq!(rows, [("web-ky-1", None, 24, (24..48).collect())]);
    let again = index::build(&log.shared.segments, segments[1], summarize).unwrap();
    assert_eq!(again, index);
    change(&test.log().join(segments[1].file("index")), |bytes| bytes[40] ^= 1);
    assert!(load().is_none(), "a damaged one is made again");
}

#[tokio::test]
async fn a_missing_day_is_found() {
    let test = TestLog::new();
    let (log, ..) = test.open().unwrap();
    for n in 0..72 {
        log.append(&[hourly(n)]).await.unwrap();
    }
    log.close().await.unwrap();
    let names = log.shared.segments.names();
    drop(log);
    fs::remove_file(test.log().join(names[1].file("entries"))).unwrap();
    let refused = test.open().err().unwrap().to_string();
    assert!(refused.contains("entries 24 to 48 before this segment are missing"), "{refused}");
}

#[tokio::test]
async fn tiles_and_proofs_are_those_of_the_tree() {
    let test = TestLog::filled(700).await;
    let (log, ..) = test.open().unwrap();
    let tile = |path: &str| log.tile(TilePath::parse(path).unwrap()).unwrap();
    let level0 = tile("0/001").unwrap();
    assert_eq!(level0.len(), 256 * 32);
    let leaf = cofferdam_tlog::record_hash(&entry(256).encode());
    assert_eq!(level0[..32], leaf.0);
    assert_eq!(tile("entries/002.p/188").unwrap(), {
        let entries: Vec<_> = (512..700).map(|n| entry(n).encode()).collect();
        bundle(&entries)
    });
    assert!(tile("0/002").is_none() && tile("0/002.p/189").is_none());
    let (leaf, proof) = log.inclusion(256, 700).unwrap();
    let root = log.shared.hashes.root(700).unwrap();
    cofferdam_tlog::check_record(&proof, 700, root, 256, leaf).unwrap();
    assert!(matches!(log.inclusion(700, 700), Err(LogError::Beyond { .. })));
}

#[tokio::test]
async fn only_the_witness_cosigns() {
    let test = TestLog::filled(3).await;
    let (log, ..) = test.open().unwrap();
    let (note, _) = log.checkpoint().unwrap();
    assert_eq!(log.public_checkpoint().unwrap(), note);
    let at = Timestamp::UNIX_EPOCH;
    let stranger = key(NoteKind::Witness, 3).cosign(&note, at).unwrap();
    assert!(matches!(log.set_cosigned(&stranger), Err(LogError::Cosignature(_))));
    let other_tree = key(NoteKind::Log, 1).checkpoint(3, Hash([9; 32])).unwrap();
    let other_tree = key(NoteKind::Witness, 2).cosign(&other_tree, at).unwrap();
    assert!(matches!(log.set_cosigned(&other_tree), Err(LogError::Cosignature(_))));
    let cosigned = key(NoteKind::Witness, 2).cosign(&note, at).unwrap();
    assert_eq!(log.set_cosigned(&cosigned).unwrap(), at);
    assert_eq!(log.public_checkpoint().unwrap(), cosigned);
    log.close().await.unwrap();
    drop(log);
    assert_eq!(test.open().unwrap().0.public_checkpoint().unwrap(), cosigned);
}

/// A disk without room refuses a write in the middle. Nothing of it stays, and the log goes on once
/// there is room.
#[tokio::test]
async fn a_full_disk_passes() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    // A write beyond the limit is an error instead of the end of the process.
    let exceeded = tokio::signal::unix::SignalKind::from_raw(nix::sys::signal::SIGXFSZ as i32);
    let _ignored = tokio::signal::unix::signal(exceeded).unwrap();
    let test = TestLog::filled(3).await;
    let (log, ..) = test.open().unwrap();
    let (soft, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    let length = fs::metadata(test.segment()).unwrap().len();
    setrlimit(Resource::RLIMIT_FSIZE, length + 5, hard).unwrap();
    for _ in 0..2 {
        assert!(matches!(log.append(&[entry(3)]).await, Err(LogError::Unwritten)));
        assert!(log.trouble().is_some());
    }
    setrlimit(Resource::RLIMIT_FSIZE, soft, hard).unwrap();
    log.append(&[entry(4)]).await.unwrap();
    assert_eq!((log.size(), log.trouble()), (4, None));
    log.close().await.unwrap();
    drop(log);
    let (_, opened, seen) = test.open().unwrap();
    assert_eq!(opened, Opened { entries: 4, bytes_cut: 0 });
    assert_eq!(seen.last(), Some(&entry(4)));
}
