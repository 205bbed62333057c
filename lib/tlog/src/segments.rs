//! The entries of a log in one file per UTC day, so that old days can be archived, indexed and read
//! apart. The entries alone determine the files, so that a copy of the log has the same files.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use cofferdam_index::Part;
use jiff::civil::Date;

use super::frames::{self, NextFrame};
use super::{Day, TlogError};

const EXTENSION: &str = "entries";
/// The number of entries from one known offset in a segment to the next.
const OFFSET_EVERY: u64 = 256;
/// One read of entries stops after the entry that reaches this number of bytes.
const MAX_ANSWER: usize = 4 << 20;

/// The segments of a log. Readers and one writer may use them at the same time.
#[derive(Debug)]
pub struct Segments {
    dir: PathBuf,
    archive: Option<PathBuf>,
    list: RwLock<Vec<Segment>>,
}

#[derive(Debug)]
struct Segment {
    name: SegmentName,
    path: PathBuf,
    file: File,
    /// Unknown until the segment was scanned once.
    extent: Option<Extent>,
}

/// The content of a segment.
#[derive(Debug, Clone, Default)]
struct Extent {
    count: u64,
    bytes: u64,
    /// The offset of every 256th entry, so that a reader skips at most 255 entries to find one.
    offsets: Vec<u64>,
}

/// The name of a segment. All its entries are of one day, unless the clock was set back: such
/// entries stay in the last segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentName {
    /// The number of the first entry in the log.
    pub first: u64,
    /// The day of the first entry.
    pub day: Day,
}

impl SegmentName {
    /// The name of the segment's file with the given extension.
    #[must_use]
    pub fn file(self, extension: &str) -> String {
        format!("{:020}.{}.{extension}", self.first, self.day.date())
    }

    fn parse(name: &str) -> Option<Self> {
        let (first, rest) = name.split_once('.')?;
        let (date, extension) = rest.split_once('.')?;
        let good = extension == EXTENSION && first.len() == 20;
        let day = Day::of_date(date.parse::<Date>().ok()?);
        good.then_some(Self { first: first.parse().ok()?, day })
    }
}

/// The result of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scanned {
    /// The number of whole entries in the log.
    pub size: u64,
    /// The number of bytes behind the last whole entry: the remains of a write that was cut short.
    pub torn: u64,
}

impl Segments {
    /// Opens the segments in `dir` and those archived in `archive`, and removes the remains of an
    /// interrupted archiving or creation.
    pub fn open(dir: &Path, archive: Option<&Path>) -> Result<Self, TlogError> {
        let mut list = Vec::new();
        for dir in [Some(dir), archive].into_iter().flatten() {
            fs::create_dir_all(dir).map_err(|e| TlogError::io(dir, e))?;
            for entry in fs::read_dir(dir).map_err(|e| TlogError::io(dir, e))? {
                let entry = entry.map_err(|e| TlogError::io(dir, e))?;
                if let Some(name) = entry.file_name().to_str().and_then(SegmentName::parse) {
                    list.push(Segment::open(name, entry.path())?);
                }
            }
        }
        list.sort_unstable_by_key(|segment| segment.name);
        remove_half_archived(&mut list, dir)?;
        remove_empty_newest(&mut list)?;
        if let Some(pair) = list.windows(2).find(|pair| pair[0].name.first == pair[1].name.first) {
            let what = "two segments begin with the same entry".to_owned();
            return Err(TlogError::Hashes { path: pair[1].path.clone(), what });
        }
        let (dir, archive) = (dir.to_owned(), archive.map(Path::to_owned));
        Ok(Self { dir, archive, list: RwLock::new(list) })
    }

    /// The names of the segments, in the order of the log.
    #[must_use]
    pub fn names(&self) -> Vec<SegmentName> {
        self.read_list().iter().map(|segment| segment.name).collect()
    }

    /// Visits every entry of the log in order, from the segment on that begins with entry `first`.
    pub fn scan<E: From<TlogError>>(
        &self,
        first: u64,
        visit: &mut dyn FnMut(u64, Vec<u8>) -> Result<(), E>,
    ) -> Result<Scanned, E> {
        let mut list = self.write_list();
        let mut scanned = Scanned { size: 0, torn: 0 };
        let newest = list.len().saturating_sub(1);
        for (n, segment) in list.iter_mut().enumerate() {
            if segment.name.first < first {
                continue;
            }
            if n > 0 && segment.name.first != scanned.size && scanned.size > 0 {
                return Err(segment.gap_after(scanned.size).into());
            }
            let torn = segment.scan(visit)?;
            if torn > 0 && n < newest {
                return Err(segment.damaged().into());
            }
            scanned = Scanned { size: segment.end(), torn };
        }
        Ok(scanned)
    }

    /// Visits every entry of one segment. Appending goes on meanwhile.
    pub fn scan_segment(
        &self,
        name: SegmentName,
        visit: &mut dyn FnMut(u64, Vec<u8>) -> Result<(), TlogError>,
    ) -> Result<(), TlogError> {
        let path = self.read_list().iter().find(|s| s.name == name).map(|s| s.path.clone());
        let Some(path) = path else { return Ok(()) };
        let torn = Segment::open(name, path)?.scan(visit)?;
        if torn > 0 {
            Err(TlogError::Damaged { path: self.dir.clone(), offset: 0 })
        } else {
            Ok(())
        }
    }

    /// Visits every entry of a part of one segment.
    pub fn scan_part(
        &self,
        name: SegmentName,
        part: &Part,
        visit: &mut dyn FnMut(&[u8]) -> Result<(), TlogError>,
    ) -> Result<(), TlogError> {
        let path = self.read_list().iter().find(|s| s.name == name).map(|s| s.path.clone());
        let Some(path) = path else { return Ok(()) };
        let segment = Segment::open(name, path)?;
        let range = frames::Range { start: part.start, end: part.end, skip: 0 };
        frames::scan_range(&segment.file, &segment.path, range, visit)
    }

    /// Reads up to `limit` entries, about 4 MiB at most, from number `from` on and below `upto`.
    pub fn read(&self, from: u64, upto: u64, limit: u64) -> Result<Vec<Vec<u8>>, TlogError> {
        let end = from.saturating_add(limit).min(upto);
        let (mut out, mut next, mut bytes) = (Vec::new(), from, 0);
        while next < end && bytes < MAX_ANSWER {
            self.measure(next)?;
            let list = self.read_list();
            let Some(segment) = find(&list, next) else { break };
            let page = segment.read(next, end - next, MAX_ANSWER - bytes)?;
            if page.is_empty() {
                break;
            }
            next += page.len() as u64;
            bytes += page.iter().map(Vec::len).sum::<usize>();
            out.extend(page);
        }
        Ok(out)
    }

    /// Scans the segment with entry `index`, unless its extent is known already.
    fn measure(&self, index: u64) -> Result<(), TlogError> {
        let known = find(&self.read_list(), index).is_none_or(|s| s.extent.is_some());
        if known {
            return Ok(());
        }
        let mut list = self.write_list();
        match list.iter_mut().rev().find(|segment| segment.name.first <= index) {
            Some(segment) => segment.scan::<TlogError>(&mut |_, _| Ok(())).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Appends entries of `day` to a log of `size` entries and syncs them to the disk. If `day` is
    /// before the last segment's day, the entries go into the last segment.
    pub fn append(&self, size: u64, day: Day, entries: &[&[u8]]) -> Result<(), TlogError> {
        let mut list = self.write_list();
        if list.last().is_none_or(|newest| newest.name.day < day) {
            list.push(Segment::create(&self.dir, SegmentName { first: size, day })?);
        }
        let Some(segment) = list.last_mut() else { return Ok(()) };
        let mut frame = Vec::new();
        for entry in entries {
            frames::push(&mut frame, entry);
        }
        let path = &segment.path;
        (&segment.file)
            .write_all(&frame)
            .and_then(|()| segment.file.sync_data())
            .map_err(|e| TlogError::io(path, e))?;
        let extent = segment.extent.get_or_insert_default();
        for entry in entries {
            extent.push(entry.len());
        }
        Ok(())
    }

    /// Removes every entry from number `size` on and all bytes of a torn write.
    pub fn truncate(&self, size: u64) -> Result<(), TlogError> {
        let mut list = self.write_list();
        while let Some(beyond) = list.pop_if(|segment| segment.name.first >= size) {
            fs::remove_file(&beyond.path).map_err(|e| TlogError::io(&beyond.path, e))?;
        }
        let Some(newest) = list.last_mut() else { return Ok(()) };
        newest.truncate(size - newest.name.first)
    }

    /// Moves the segments of days before `day` to the archive and returns their number. Without an
    /// archive no segment moves.
    pub fn archive_before(&self, day: Day) -> Result<usize, TlogError> {
        let Some(archive) = &self.archive else { return Ok(0) };
        let old: Vec<(SegmentName, PathBuf)> = {
            let list = self.read_list();
            let closed = &list[..list.len().saturating_sub(1)];
            let here = closed.iter().filter(|s| s.name.day < day && s.path.starts_with(&self.dir));
            here.map(|s| (s.name, s.path.clone())).collect()
        };
        for (name, path) in &old {
            let moved = move_file(path, archive, &name.file(EXTENSION))?;
            let mut list = self.write_list();
            if let Some(segment) = list.iter_mut().find(|segment| segment.name == *name) {
                segment.path = moved;
            }
        }
        Ok(old.len())
    }

    fn read_list(&self) -> RwLockReadGuard<'_, Vec<Segment>> {
        self.list.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_list(&self) -> RwLockWriteGuard<'_, Vec<Segment>> {
        self.list.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(list: &[Segment], index: u64) -> Option<&Segment> {
    list[..list.partition_point(|segment| segment.name.first <= index)].last()
}

/// Removes from `dir` each segment of which the archive has the same bytes: the process died
/// between archiving the segment and removing it. The archive's copy is whole, because `move_file`
/// gives it its name only then.
fn remove_half_archived(list: &mut Vec<Segment>, dir: &Path) -> Result<(), TlogError> {
    let mut at = 1;
    while at < list.len() {
        let (first, second) = (&list[at - 1], &list[at]);
        let duplicate =
            first.name == second.name && first.path != second.path && same_bytes(first, second)?;
        if !duplicate {
            at += 1;
            continue;
        }
        let here = if first.path.starts_with(dir) { at - 1 } else { at };
        let archived = list.remove(here);
        fs::remove_file(&archived.path).map_err(|e| TlogError::io(&archived.path, e))?;
    }
    Ok(())
}

fn same_bytes(first: &Segment, second: &Segment) -> Result<bool, TlogError> {
    let read =
        |segment: &Segment| fs::read(&segment.path).map_err(|e| TlogError::io(&segment.path, e));
    let length = |segment: &Segment| segment.file.metadata().map(|m| m.len()).ok();
    Ok(length(first) == length(second) && read(first)? == read(second)?)
}

/// Removes the last segment if it is empty: the process died between creating the file and writing
/// its first entry.
fn remove_empty_newest(list: &mut Vec<Segment>) -> Result<(), TlogError> {
    let Some(newest) = list.last() else { return Ok(()) };
    let io = |e| TlogError::io(&newest.path, e);
    if newest.file.metadata().map_err(io)?.len() == 0 {
        fs::remove_file(&newest.path).map_err(io)?;
        list.pop();
    }
    Ok(())
}

/// Moves a file by copying it, because the archive may be on another file system. The original goes
/// only after the copy is synced.
fn move_file(from: &Path, dir: &Path, name: &str) -> Result<PathBuf, TlogError> {
    let (draft, to) = (dir.join(format!("{name}.new")), dir.join(name));
    let work = || {
        fs::copy(from, &draft)?;
        File::open(&draft)?.sync_all()?;
        fs::rename(&draft, &to)?;
        File::open(dir)?.sync_all()?;
        fs::remove_file(from)
    };
    work().map_err(|e: io::Error| TlogError::io(from, e))?;
    Ok(to)
}

impl Extent {
    fn push(&mut self, len: usize) {
        if self.count.is_multiple_of(OFFSET_EVERY) {
            self.offsets.push(self.bytes);
        }
        self.count += 1;
        self.bytes += frames::framed(len);
    }
}

impl Segment {
    fn open(name: SegmentName, path: PathBuf) -> Result<Self, TlogError> {
        let file = File::options().read(true).append(true).open(&path);
        let file = file.map_err(|e| TlogError::io(&path, e))?;
        Ok(Self { name, path, file, extent: None })
    }

    fn create(dir: &Path, name: SegmentName) -> Result<Self, TlogError> {
        let path = dir.join(name.file(EXTENSION));
        let create = || {
            let file = File::options().read(true).append(true).create_new(true).open(&path)?;
            // Syncing the directory makes the file's name survive a crash.
            let synced = File::open(dir).and_then(|dir| dir.sync_all());
            synced.inspect_err(|_| {
                // The file would stand in the way of the next attempt.
                let _ = fs::remove_file(&path);
            })?;
            Ok(file)
        };
        let file = create().map_err(|e| TlogError::io(&path, e))?;
        Ok(Self { name, path, file, extent: Some(Extent::default()) })
    }

    fn end(&self) -> u64 {
        self.name.first + self.extent.as_ref().map_or(0, |extent| extent.count)
    }

    /// Visits every entry and returns the number of torn bytes behind the last.
    fn scan<E: From<TlogError>>(
        &mut self,
        visit: &mut dyn FnMut(u64, Vec<u8>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let mut extent = Extent::default();
        let io = |e| TlogError::io(&self.path, e);
        let mut reader = BufReader::with_capacity(1 << 20, &self.file);
        reader.seek(SeekFrom::Start(0)).map_err(io)?;
        let torn = loop {
            match frames::read(&mut reader).map_err(io)? {
                NextFrame::Entry(bytes) => {
                    let index = self.name.first + extent.count;
                    extent.push(bytes.len());
                    visit(index, bytes)?;
                }
                NextFrame::End => break 0,
                NextFrame::Bad => break self.torn_behind(extent.bytes)?,
            }
        };
        self.extent = Some(extent);
        Ok(torn)
    }

    /// The number of bytes behind `offset`. If no whole entry follows there, a write was torn. A
    /// whole entry means that earlier bytes were changed, which is damage.
    fn torn_behind(&self, offset: u64) -> Result<u64, TlogError> {
        let mut tail = Vec::new();
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset))
            .and_then(|_| file.read_to_end(&mut tail))
            .map_err(|e| TlogError::io(&self.path, e))?;
        if frames::any_after(&tail) {
            return Err(TlogError::Damaged { path: self.path.clone(), offset });
        }
        Ok(tail.len() as u64)
    }

    fn read(&self, from: u64, count: u64, bytes: usize) -> Result<Vec<Vec<u8>>, TlogError> {
        let Some(extent) = &self.extent else { return Ok(Vec::new()) };
        let at = from - self.name.first;
        let count = count.min(extent.count.saturating_sub(at));
        let slot = usize::try_from(at / OFFSET_EVERY).unwrap_or(usize::MAX);
        let Some(start) = extent.offsets.get(slot) else { return Ok(Vec::new()) };
        let range = frames::Range { start: *start, end: extent.bytes, skip: at % OFFSET_EVERY };
        frames::read_range(&self.file, &self.path, range, count, bytes)
    }

    fn truncate(&mut self, count: u64) -> Result<(), TlogError> {
        if self.extent.is_none() {
            self.scan::<TlogError>(&mut |_, _| Ok(()))?;
        }
        let Some(old) = self.extent.take() else { return Ok(()) };
        let kept = usize::try_from(count.div_ceil(OFFSET_EVERY)).unwrap_or(usize::MAX);
        let mut extent = Extent::default();
        if let Some(last) = kept.checked_sub(1) {
            extent.offsets = old.offsets[..last].to_vec();
            extent.count = last as u64 * OFFSET_EVERY;
            extent.bytes = old.offsets[last];
            let range = frames::Range { start: extent.bytes, end: old.bytes, skip: 0 };
            let missing = count - extent.count;
            let rest = frames::read_range(&self.file, &self.path, range, missing, usize::MAX)?;
            for entry in rest {
                extent.push(entry.len());
            }
        }
        let cut = self.file.set_len(extent.bytes).and_then(|()| self.file.sync_all());
        cut.map_err(|e| TlogError::io(&self.path, e))?;
        self.extent = Some(extent);
        Ok(())
    }

    fn damaged(&self) -> TlogError {
        let offset = self.extent.as_ref().map_or(0, |extent| extent.bytes);
        TlogError::Damaged { path: self.path.clone(), offset }
    }

    fn gap_after(&self, size: u64) -> TlogError {
        let what = format!("entries {size} to {} before this segment are missing", self.name.first);
        TlogError::Hashes { path: self.path.clone(), what }
    }
}
