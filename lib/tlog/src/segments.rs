//! The entries of a log in one file a UTC day, so that old days can be put away, indexed and
//! read apart. Which entry stands in which file follows from the entries alone: a copy of the
//! log has the same files.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use cofferdam_index::Part;
use jiff::civil::Date;

use super::frames::{self, Read1};
use super::{Day, TlogError};

/// The end of a segment's file name.
const END: &str = "entries";
/// Every how many entries the index of a segment has one.
const INDEX_EVERY: u64 = 256;
/// The most bytes that one read of entries returns.
const MAX_ANSWER: usize = 4 << 20;

/// The entries of a log.
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
    /// Unknown until the segment is read.
    extent: Option<Extent>,
}

/// What a segment holds.
#[derive(Debug, Clone, Default)]
struct Extent {
    count: u64,
    bytes: u64,
    /// The offset of every 256th entry, so that any is found after at most 255 others.
    index: Vec<u64>,
}

/// The index of a segment's first entry, and the day of all of them (or of the first: a clock
/// that is set back opens no segment).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentName {
    /// The index of the first entry.
    pub first: u64,
    /// Its day.
    pub day: Day,
}

impl SegmentName {
    /// The file's name, with `end` behind the last dot.
    #[must_use]
    pub fn file(self, end: &str) -> String {
        format!("{:020}.{}.{end}", self.first, self.day.date())
    }

    fn parse(name: &str) -> Option<Self> {
        let (first, rest) = name.split_once('.')?;
        let (date, end) = rest.split_once('.')?;
        let good = end == END && first.len() == 20;
        let day = Day::of_date(date.parse::<Date>().ok()?);
        good.then_some(Self { first: first.parse().ok()?, day })
    }
}

/// How a scan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scanned {
    /// How many entries the log has.
    pub size: u64,
    /// Bytes of a torn end behind them, in the last segment.
    pub torn: u64,
}

impl Segments {
    /// Finds the segments in `dir` and, put away, in `archive`.
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
        drop_half_moved(&mut list, dir)?;
        drop_empty_end(&mut list)?;
        if let Some(pair) = list.windows(2).find(|pair| pair[0].name.first == pair[1].name.first) {
            let what = "two segments begin with the same entry".to_owned();
            return Err(TlogError::Hashes { path: pair[1].path.clone(), what });
        }
        let (dir, archive) = (dir.to_owned(), archive.map(Path::to_owned));
        Ok(Self { dir, archive, list: RwLock::new(list) })
    }

    /// The segments, in order.
    #[must_use]
    pub fn names(&self) -> Vec<SegmentName> {
        self.read_list().iter().map(|segment| segment.name).collect()
    }

    /// Reads every entry from the segment that begins with entry `first` on, in order.
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
                return Err(segment.missing(scanned.size).into());
            }
            let torn = segment.scan(visit)?;
            if torn > 0 && n < newest {
                return Err(segment.damaged().into());
            }
            scanned = Scanned { size: segment.end(), torn };
        }
        Ok(scanned)
    }

    /// Reads every entry of one segment, without holding up those who append.
    pub fn scan_one(
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

    /// Shows every entry of a part of one segment.
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

    /// Up to `limit` entries, and about 4 MiB, from index `from` on, below `upto`.
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

    /// Makes sure that the extent of the segment with entry `index` is known.
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

    /// Appends entries that follow a log of `size` and are of `day`, and syncs them to the disk.
    /// A day before the last segment's goes into that.
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

    /// Drops every entry from index `size` on, and whatever torn bytes stand behind it.
    pub fn truncate(&self, size: u64) -> Result<(), TlogError> {
        let mut list = self.write_list();
        while let Some(beyond) = list.pop_if(|segment| segment.name.first >= size) {
            fs::remove_file(&beyond.path).map_err(|e| TlogError::io(&beyond.path, e))?;
        }
        let Some(newest) = list.last_mut() else { return Ok(()) };
        newest.truncate(size - newest.name.first)
    }

    /// Moves segments of days before `day` to the archive, if there is one; how many.
    pub fn put_away(&self, day: Day) -> Result<usize, TlogError> {
        let Some(archive) = &self.archive else { return Ok(0) };
        let old: Vec<(SegmentName, PathBuf)> = {
            let list = self.read_list();
            let closed = &list[..list.len().saturating_sub(1)];
            let at_hand =
                closed.iter().filter(|s| s.name.day < day && s.path.starts_with(&self.dir));
            at_hand.map(|s| (s.name, s.path.clone())).collect()
        };
        for (name, path) in &old {
            let moved = move_file(path, archive, &name.file(END))?;
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

/// A segment that stands in both places with the same bytes was being put away when the process
/// died: the copy in the archive is whole before it has its name.
fn drop_half_moved(list: &mut Vec<Segment>, dir: &Path) -> Result<(), TlogError> {
    let mut at = 1;
    while at < list.len() {
        let (one, two) = (&list[at - 1], &list[at]);
        let half = one.name == two.name && one.path != two.path && same_bytes(one, two)?;
        if !half {
            at += 1;
            continue;
        }
        let here = if one.path.starts_with(dir) { at - 1 } else { at };
        let moved = list.remove(here);
        fs::remove_file(&moved.path).map_err(|e| TlogError::io(&moved.path, e))?;
    }
    Ok(())
}

fn same_bytes(one: &Segment, two: &Segment) -> Result<bool, TlogError> {
    let read = |of: &Segment| fs::read(&of.path).map_err(|e| TlogError::io(&of.path, e));
    let length = |of: &Segment| of.file.metadata().map(|m| m.len()).ok();
    Ok(length(one) == length(two) && read(one)? == read(two)?)
}

/// A segment without an entry was being made when the process died.
fn drop_empty_end(list: &mut Vec<Segment>) -> Result<(), TlogError> {
    let Some(newest) = list.last() else { return Ok(()) };
    let io = |e| TlogError::io(&newest.path, e);
    if newest.file.metadata().map_err(io)?.len() == 0 {
        fs::remove_file(&newest.path).map_err(io)?;
        list.pop();
    }
    Ok(())
}

/// Copies, syncs, and only then removes: the archive may be another file system.
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
        if self.count.is_multiple_of(INDEX_EVERY) {
            self.index.push(self.bytes);
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
        let path = dir.join(name.file(END));
        let create = || {
            let file = File::options().read(true).append(true).create_new(true).open(&path)?;
            // The file's name must survive a crash as well as what stands in it.
            File::open(dir)?.sync_all()?;
            Ok(file)
        };
        let file = create().map_err(|e| TlogError::io(&path, e))?;
        Ok(Self { name, path, file, extent: Some(Extent::default()) })
    }

    fn end(&self) -> u64 {
        self.name.first + self.extent.as_ref().map_or(0, |extent| extent.count)
    }

    /// Reads every entry; how many bytes of a torn one stand behind.
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
                Read1::Entry(bytes) => {
                    let index = self.name.first + extent.count;
                    extent.push(bytes.len());
                    visit(index, bytes)?;
                }
                Read1::End => break 0,
                Read1::Bad => break self.torn_behind(extent.bytes)?,
            }
        };
        self.extent = Some(extent);
        Ok(torn)
    }

    /// The bytes behind `offset`, if no good entry follows: then a write was torn. Otherwise
    /// somebody changed what was written.
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
        let slot = usize::try_from(at / INDEX_EVERY).unwrap_or(usize::MAX);
        let Some(start) = extent.index.get(slot) else { return Ok(Vec::new()) };
        let range = frames::Range { start: *start, end: extent.bytes, skip: at % INDEX_EVERY };
        frames::read_range(&self.file, &self.path, range, count, bytes)
    }

    fn truncate(&mut self, count: u64) -> Result<(), TlogError> {
        if self.extent.is_none() {
            self.scan::<TlogError>(&mut |_, _| Ok(()))?;
        }
        let Some(old) = self.extent.take() else { return Ok(()) };
        let keep = usize::try_from(count.div_ceil(INDEX_EVERY)).unwrap_or(usize::MAX);
        let mut extent = Extent { count: 0, bytes: 0, index: Vec::new() };
        if let Some(last) = keep.checked_sub(1) {
            let done = last as u64 * INDEX_EVERY;
            extent.index = old.index[..last].to_vec();
            extent.count = done;
            extent.bytes = old.index[last];
            let range = frames::Range { start: extent.bytes, end: old.bytes, skip: 0 };
            let rest = frames::read_range(&self.file, &self.path, range, count - done, usize::MAX)?;
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

    fn missing(&self, size: u64) -> TlogError {
        let what = format!("entries {size} to {} are missing before it", self.name.first);
        TlogError::Hashes { path: self.path.clone(), what }
    }
}
