//! Pages of a log, each sorted in a file of its own, and their merging into one log. Memory does
//! not grow with the log.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use cofferdam_core::Timestamp;
use cofferdam_tlog::frames::{self, NextFrame};
use cofferdam_tlog::{Day, Segments, TlogError, index, replace_file};

use response_exposure::{LogKind, access_time};

/// The most files that are merged at once.
const FAN_IN: usize = 200;
/// The number of entries that are written at once.
const BATCH: usize = 8_192;

/// The directory of the merged log. It appears once the log is whole.
pub const LOG: &str = "log";

fn page_file(dir: &Path, page: u32) -> PathBuf {
    dir.join(format!("page-{page:08}"))
}

/// The number of pages.
pub fn count_pages(dir: &Path) -> u32 {
    let mut pages = 0;
    while page_file(dir, pages).exists() {
        pages += 1;
    }
    pages
}

/// Whether a page is the next one.
pub fn is_next(dir: &Path, page: u32) -> bool {
    let follows = page.checked_sub(1).is_none_or(|before| page_file(dir, before).exists());
    follows && !page_file(dir, page).exists()
}

/// Writes a page: all of it, or nothing.
pub fn write_page(
    dir: &Path,
    page: u32,
    entries: impl Iterator<Item = Vec<u8>>,
) -> Result<(), TlogError> {
    fs::create_dir_all(dir).map_err(|e| TlogError::io(dir, e))?;
    let mut bytes = Vec::new();
    for entry in entries {
        frames::push(&mut bytes, &entry);
    }
    replace_file(dir, &format!("page-{page:08}"), &bytes)
}

/// Merges all pages into the log and indexes it. Shows every entry to `show`, which returns whether
/// it could be decoded.
pub fn merge_pages(dir: &Path, show: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), TlogError> {
    let files = merge_down(dir)?;
    let (draft, whole) = (dir.join("draft"), dir.join(LOG));
    for old in [&draft, &whole] {
        if old.exists() {
            fs::remove_dir_all(old).map_err(|e| TlogError::io(old, e))?;
        }
    }
    let segments = Segments::open(&draft, None)?;
    let mut writing = Writing { segments: &segments, size: 0, day: None, waiting: Vec::new() };
    merge_files(&files, &mut |at, entry| {
        if !show(entry) {
            return Err(TlogError::Damaged { path: dir.to_owned(), offset: 0 });
        }
        writing.push(at, entry)
    })?;
    writing.flush()?;
    index::catch_up(&segments, &draft, true, LogKind::Access.summarize())?;
    fs::rename(&draft, &whole)
        .and_then(|()| File::open(dir)?.sync_all())
        .map_err(|e| TlogError::io(&whole, e))
}

/// Merges files until few enough are left to be merged at once.
fn merge_down(dir: &Path) -> Result<Vec<PathBuf>, TlogError> {
    let mut files: Vec<_> = (0..count_pages(dir)).map(|page| page_file(dir, page)).collect();
    let mut round = 0;
    while files.len() > FAN_IN {
        let mut next = Vec::new();
        for (n, some) in files.chunks(FAN_IN).enumerate() {
            let path = dir.join(format!("merged-{round}-{n}"));
            let file = File::create(&path).map_err(|e| TlogError::io(&path, e))?;
            let mut out = BufWriter::new(file);
            let mut frame = Vec::new();
            merge_files(some, &mut |_, entry| {
                frame.clear();
                frames::push(&mut frame, entry);
                out.write_all(&frame).map_err(|e| TlogError::io(&path, e))
            })?;
            out.flush().map_err(|e| TlogError::io(&path, e))?;
            next.push(path);
        }
        (files, round) = (next, round + 1);
    }
    Ok(files)
}

/// Removes the pages that the log was merged from.
pub fn remove_pages(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name() != LOG {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Entries on their way into segments of a day.
struct Writing<'a> {
    segments: &'a Segments,
    size: u64,
    day: Option<Day>,
    waiting: Vec<Vec<u8>>,
}

impl Writing<'_> {
    fn push(&mut self, at_ms: i64, entry: &[u8]) -> Result<(), TlogError> {
        let at = Timestamp::from_millisecond(at_ms).unwrap_or_default();
        let day = Some(Day::of(at));
        if day != self.day || self.waiting.len() >= BATCH {
            self.flush()?;
        }
        self.day = day;
        self.waiting.push(entry.to_vec());
        Ok(())
    }

    fn flush(&mut self) -> Result<(), TlogError> {
        let Some(day) = self.day.filter(|_| !self.waiting.is_empty()) else { return Ok(()) };
        let entries: Vec<&[u8]> = self.waiting.iter().map(Vec::as_slice).collect();
        self.segments.append(self.size, day, &entries)?;
        self.size += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }
}

/// Takes an entry with its time, in milliseconds since 1970.
type Show<'a> = &'a mut dyn FnMut(i64, &[u8]) -> Result<(), TlogError>;

/// Shows the entries of sorted files in the order of their times.
fn merge_files(files: &[PathBuf], show: Show<'_>) -> Result<(), TlogError> {
    let mut readers = Vec::with_capacity(files.len());
    for path in files {
        let file = File::open(path).map_err(|e| TlogError::io(path, e))?;
        readers.push((path, BufReader::with_capacity(64 << 10, file)));
    }
    let mut next = |place: usize| {
        let (path, reader) = &mut readers[place];
        let damaged = || TlogError::Damaged { path: path.to_owned(), offset: 0 };
        match frames::read(reader).map_err(|e| TlogError::io(path, e))? {
            NextFrame::Entry(entry) => {
                let at = access_time(&entry).ok_or_else(damaged)?;
                Ok(Some(Reverse((at, place, entry))))
            }
            NextFrame::End => Ok(None),
            NextFrame::Bad => Err(damaged()),
        }
    };
    let mut heap = BinaryHeap::new();
    for place in 0..files.len() {
        heap.extend(next(place)?);
    }
    while let Some(Reverse((at, place, entry))) = heap.pop() {
        show(at, &entry)?;
        heap.extend(next(place)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cofferdam_core::{FieldSet, Operation, Record};
    use proptest::prelude::*;

    use super::*;
    use response_exposure::AccessEntry;

    fn entry(at_ms: i64, line: u64) -> AccessEntry {
        AccessEntry {
            at_ms,
            line,
            caller: "a".parse().unwrap(),
            via: "b".parse().unwrap(),
            operation: Operation::Release,
            fields: FieldSet::EMPTY,
            records: vec![Record(1)],
            everybody: None,
            unknown: 0,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        #[test]
        fn any_pages_become_one_log_in_order(
            pages in proptest::collection::vec(proptest::collection::vec(0_i64..400_000_000, 0..20), 0..9)
        ) {
            let dir = tempfile::tempdir().unwrap();
            let mut line = 0;
            let mut all = Vec::new();
            for (page, times) in (0..).zip(&pages) {
                let mut entries: Vec<_> = times.iter().map(|at| {
                    line += 1;
                    entry(*at, line)
                }).collect();
                entries.sort_by_key(|entry| entry.at_ms);
                write_page(dir.path(), page, entries.iter().map(AccessEntry::encode)).unwrap();
                all.extend(entries);
            }
            prop_assert_eq!(count_pages(dir.path()) as usize, pages.len());
            let mut seen = Vec::new();
            for _ in 0..2 {
                seen.clear();
                merge_pages(dir.path(), &mut |bytes| {
                    seen.push(AccessEntry::decode(bytes).unwrap());
                    true
                }).unwrap();
            }
            remove_pages(dir.path()).unwrap();
            all.sort_by_key(|entry| (entry.at_ms, entry.line));
            prop_assert!(seen.is_sorted_by_key(|entry| entry.at_ms));
            seen.sort_by_key(|entry| (entry.at_ms, entry.line));
            prop_assert_eq!(seen, all);
        }
    }
}
