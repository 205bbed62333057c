//! A log in files, for the rules of exposure. Reading one may take seconds, so callers read it on a
//! thread of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cofferdam_index::{Fineness, Part, SegmentIndex, Wanted};
use cofferdam_tlog::{SegmentName, Segments, TlogError, index};
use response_exposure::{EntryVisitor, FallenHosts, IndexedLog, LogKind};

use super::{CopyEnd, CopyError, FollowedLog, Logs};

/// The number of entries that are read at once.
const PAGE: u64 = 10_000;

/// A log in files, up to an end that never changes.
pub struct FileLog {
    kind: LogKind,
    segments: Arc<Segments>,
    dir: PathBuf,
    size: u64,
    /// The index of the segment that still grows, which no file holds yet.
    live: Option<(SegmentName, SegmentIndex)>,
}

impl FileLog {
    /// Opens the log in a directory, as far as it is written.
    pub fn open(kind: LogKind, dir: &Path) -> Result<Self, TlogError> {
        let segments = Arc::new(Segments::open(dir, None)?);
        Ok(Self { kind, segments, dir: dir.to_owned(), size: u64::MAX, live: None })
    }

    /// Opens the copies of the release logs, each up to its verified end. The live index holds only
    /// the part about the fallen hosts.
    pub async fn of_copies(
        logs: &Logs,
        hosts: &FallenHosts,
        ends: &[CopyEnd],
    ) -> Result<Vec<Self>, CopyError> {
        let mut all = Vec::with_capacity(ends.len());
        for (log, end) in logs.followed.iter().zip(ends) {
            all.push(Self::of_copy(log, hosts, end.size).await?);
        }
        Ok(all)
    }

    /// Opens the copy of one release log, up to `size` entries.
    pub async fn of_copy(
        log: &FollowedLog,
        hosts: &FallenHosts,
        size: u64,
    ) -> Result<Self, CopyError> {
        let mut copy = log.copy.lock().await;
        let concerns = |key: &cofferdam_index::IndexKey| {
            hosts.is_exposed(&key.caller, &key.via, key.operation)
        };
        let live = copy.live_index(&concerns)?;
        let (segments, dir) = (copy.segments(), copy.dir().to_owned());
        Ok(Self { kind: LogKind::Release, segments, dir, size, live })
    }
}

impl IndexedLog for FileLog {
    type Segment = SegmentName;
    type Error = TlogError;

    fn kind(&self) -> LogKind {
        self.kind
    }

    fn segments(&self) -> Vec<SegmentName> {
        self.segments.names()
    }

    fn index(
        &self,
        segment: SegmentName,
        wanted: Wanted<'_>,
        detail: Fineness<'_>,
    ) -> Result<SegmentIndex, TlogError> {
        if let Some((last, index)) = &self.live
            && *last == segment
        {
            return Ok(index.clone());
        }
        index::read(&self.segments, &self.dir, segment, (wanted, detail), self.kind.summarize())
    }

    fn scan(
        &self,
        segment: SegmentName,
        part: &Part,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<(), TlogError> {
        self.segments.scan_part(segment, part, &mut |entry| {
            visit(entry);
            Ok(())
        })
    }

    fn scan_all(&self, visit: EntryVisitor<'_>) -> Result<(), TlogError> {
        let mut next = 0;
        while next < self.size {
            let page = self.segments.read(next, self.size, PAGE)?;
            if page.is_empty() {
                // A log that was opened by its directory ends where its files end.
                let is_whole = self.size == u64::MAX;
                return if is_whole { Ok(()) } else { Err(self.too_short(next)) };
            }
            for entry in &page {
                visit(next, entry)?;
                next += 1;
            }
        }
        Ok(())
    }
}

impl FileLog {
    fn too_short(&self, end: u64) -> TlogError {
        let what = format!("it ends at {end}, and had {} entries", self.size);
        TlogError::Hashes { path: self.dir.clone(), what }
    }
}
