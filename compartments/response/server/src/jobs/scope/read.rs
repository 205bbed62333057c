//! Reading the copies of the logs, on threads of their own: they may be gigabytes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use cofferdam_core::Glancer;
use cofferdam_index::{Fineness, IndexKey, Part, SegmentIndex};
use cofferdam_tlog::{SegmentName, Segments, TlogError, index};
use cofferdam_wire::{Problem, ProblemType};
use memchr::memmem::Finder;

use crate::app::App;
use crate::domain::scope::{Fallen, Found, LogKind, Window};
use crate::log_copy::CopyEnd;

/// Entries read at once.
const PAGE: u64 = 10_000;
/// Segments taken at once: at a billion events in ninety days, some 25 MB.
const AT_ONCE: usize = 4;

/// What an exposure is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The indexes, and the entries of hours that lie partly in the window.
    Index,
    /// Every entry.
    Log,
}

/// One log, ready to be read without holding its copy up.
pub struct Readable {
    kind: LogKind,
    segments: Arc<Segments>,
    dir: PathBuf,
    size: u64,
    live: Option<(SegmentName, SegmentIndex)>,
}

impl Readable {
    /// The log in a directory, as far as it is written.
    pub fn open(kind: LogKind, dir: &Path) -> Result<Self, TlogError> {
        let segments = Arc::new(Segments::open(dir, None)?);
        Ok(Self { kind, segments, dir: dir.to_owned(), size: u64::MAX, live: None })
    }

    /// Reads its entries.
    #[must_use]
    pub fn glance(&self) -> Glancer {
        self.kind.glance()
    }

    /// Every log as far as it is verified.
    pub async fn all(app: &App, fallen: &Fallen, ends: &[CopyEnd]) -> Result<Vec<Self>, Problem> {
        let mut logs = Vec::with_capacity(ends.len());
        for (log, end) in app.logs.iter().zip(ends) {
            let mut copy = log.copy.lock().await;
            let live = copy.live(&|key| concerns(fallen, key)).map_err(|e| unreadable(&e))?;
            let dir = copy.dir().to_owned();
            logs.push(Self {
                kind: LogKind::Release,
                segments: copy.segments(),
                dir,
                size: end.size,
                live,
            });
        }
        Ok(logs)
    }

    /// The segments, in order.
    #[must_use]
    pub fn names(&self) -> Vec<SegmentName> {
        self.segments.names()
    }

    /// What the index of a segment says of the fallen hosts.
    pub fn index(
        &self,
        name: SegmentName,
        fallen: &Fallen,
        detail: Fineness<'_>,
    ) -> Result<SegmentIndex, TlogError> {
        if let Some((last, index)) = &self.live
            && *last == name
        {
            return Ok(index.clone());
        }
        let wanted = |key: &IndexKey| concerns(fallen, key);
        index::read(&self.segments, &self.dir, name, (&wanted, detail), self.glance())
    }

    /// Shows every entry of an hour that names a fallen host, with its number in the log. Names
    /// stand in entries as they are: what holds none is not read further.
    pub fn scan(
        &self,
        name: SegmentName,
        part: &Part,
        fallen: &Fallen,
        visit: &mut dyn FnMut(u64, &[u8]),
    ) -> Result<(), TlogError> {
        let names: Vec<_> = fallen.callers().iter().map(|of| Finder::new(of.as_str())).collect();
        let mut number = part.first;
        self.segments.scan_part(name, part, &mut |entry| {
            if names.iter().any(|name| name.find(entry).is_some()) {
                visit(number, entry);
            }
            number += 1;
            Ok(())
        })
    }
}

fn concerns(fallen: &Fallen, key: &IndexKey) -> bool {
    fallen.level(&key.caller, &key.via, key.operation).is_some()
}

/// What the logs say of the fallen hosts.
pub async fn read(
    app: &App,
    fallen: &Arc<Fallen>,
    window: Window,
    ends: &[CopyEnd],
    source: Source,
) -> Result<Found, Problem> {
    let logs = Readable::all(app, fallen, ends).await?;
    let fallen = fallen.clone();
    let read = cofferdam_wire::blocking(move || {
        let mut all = Found::default();
        for log in &logs {
            all.merge(look(log, &fallen, window, source)?);
        }
        Ok(all)
    });
    read.await.map_err(|e| unreadable(&e))?.map_err(|e: TlogError| unreadable(&e))
}

/// What one log says of the fallen hosts.
pub fn look(
    log: &Readable,
    fallen: &Fallen,
    window: Window,
    source: Source,
) -> Result<Found, TlogError> {
    match source {
        Source::Index => by_index(log, fallen, window),
        Source::Log => by_entry(log, fallen, window),
    }
}

/// The log's damage is for the operator's eyes; the caller learns that it can't be read.
fn unreadable(error: &dyn std::error::Error) -> Problem {
    tracing::error!(cause = %error, "a copied log could not be read");
    Problem::new(ProblemType::INTERNAL, "the copy of a release log could not be read")
}

/// Segments are shared out among as many threads as there are processors.
fn by_index(log: &Readable, fallen: &Fallen, window: Window) -> Result<Found, TlogError> {
    let names = log.names();
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Ok(Found::default())));
    let work = || {
        let mut own = Ok(Found::default());
        loop {
            let from = next.fetch_add(AT_ONCE, Ordering::Relaxed);
            let Some(some) = names.get(from..).filter(|some| !some.is_empty()) else { break };
            let some = &some[..some.len().min(AT_ONCE)];
            if let Ok(found) = &mut own
                && let Err(e) = some_segments(log, some, fallen, window, found)
            {
                own = Err(e);
            }
        }
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        match (&mut *all, own) {
            (Ok(all), Ok(own)) => all.merge(own),
            (all @ Ok(_), Err(e)) => *all = Err(e),
            (Err(_), _) => {}
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(names.len().max(1));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn some_segments(
    log: &Readable,
    names: &[SegmentName],
    fallen: &Fallen,
    window: Window,
    found: &mut Found,
) -> Result<(), TlogError> {
    let read = |name: &SegmentName| log.index(*name, fallen, &|parts| window.detail(parts));
    let indexes = names.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    for (place, part) in found.take_indexes(log.kind, &indexes, fallen, window) {
        let (name, part) = (names[place], &indexes[place].parts[part]);
        log.scan(name, part, fallen, &mut |_, entry| {
            log.glance()(entry, &mut |seen| found.take_touch(seen, fallen, window));
        })?;
    }
    Ok(())
}

fn by_entry(log: &Readable, fallen: &Fallen, window: Window) -> Result<Found, TlogError> {
    let (mut found, mut next) = (Found::default(), 0);
    while next < log.size {
        let page = log.segments.read(next, log.size, PAGE)?;
        let ended = || TlogError::Hashes {
            path: log.dir.clone(),
            what: format!("it ends at {next}, and had {} entries", log.size),
        };
        if page.is_empty() {
            // A log that was opened by its directory ends where its files end.
            return if log.size == u64::MAX { Ok(found) } else { Err(ended()) };
        }
        for entry in &page {
            if !found.take_entry(log.kind, entry, fallen, window) {
                return Err(ended());
            }
        }
        next += page.len() as u64;
    }
    Ok(found)
}
