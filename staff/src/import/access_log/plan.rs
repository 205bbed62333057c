//! Reading access logs without bringing them: what a mapping makes of them, and what it does not name.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cofferdam_core::{Access, CallerName, Whose};
use cofferdam_foreign::{Item, LogReader};
use response_api::{LogCatalogue, LoggedReads, Span};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Coverage, PAGE, ReadLogs, Rest, Understood, catalogue_of, covered, file_name, joined_runs, read,
};
use crate::Progress;
use crate::import::error::ImportError;
use crate::import::pages;

/// The most shapes and actors that are counted each. The rest is counted together.
const MAX_COUNTED: usize = 10_000;

/// An access log as `access-log add` would bring it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlannedLog {
    /// The name of the log's file.
    pub name: String,
    /// The format of the lines, as the mapping names it.
    pub format: String,
    /// The span for which the log is complete; nothing if neither its lines nor the options give
    /// one.
    pub covers: Option<Span>,
    /// The catalogue by which the log is read, if it is a database's.
    pub catalogue: Option<LogCatalogue>,
    /// Whether the log is known to hold every read.
    pub reads: LoggedReads,
    /// The number of accesses in the log.
    pub accesses: u64,
    /// The number of accesses that count as everybody's, as far as the log alone shows.
    pub everybody: u64,
    /// The number of lines that touched no customer's data.
    pub harmless: u64,
    /// The number of lines that can't be read. They are listed beside the file.
    pub unreadable: u64,
    /// The clients, users and servers that appear in it, each with the number of its accesses.
    pub actors: BTreeMap<CallerName, u64>,
    /// The shapes of lines that no rule names, and of accesses that count as everybody's: the most
    /// frequent first.
    pub unnamed: Vec<UnnamedShape>,
}

/// Lines of one shape that no rule of the mapping names, or whose customers can't be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnnamedShape {
    /// The shape that the lines share. Numbers, addresses and long texts are placeholders.
    pub shape: String,
    /// The number of such lines.
    pub lines: u64,
    /// The number of one such line, from 1.
    pub example: u64,
}

/// A line of a file, as far as a plan tells it.
enum Planned {
    Access { line: u64, actors: [CallerName; 2], everybody: Option<String> },
    Unnamed { line: u64, shape: String },
}

/// The lines of a file by their shapes.
#[derive(Default)]
struct Shapes {
    counted: BTreeMap<String, (u64, u64)>,
    /// The line that the last shape was of: its access follows.
    named: Option<u64>,
}

impl Shapes {
    fn count(&mut self, shape: String, line: u64) {
        let known = self.counted.len() < MAX_COUNTED || self.counted.contains_key(&shape);
        let shape = if known { shape } else { "lines of other shapes".to_owned() };
        self.counted.entry(shape).or_insert((0, line)).0 += 1;
    }

    fn most_first(self) -> Vec<UnnamedShape> {
        let shape = |(shape, (lines, example))| UnnamedShape { shape, lines, example };
        let mut shapes: Vec<_> = self.counted.into_iter().map(shape).collect();
        shapes.sort_by_key(|shape| Reverse(shape.lines));
        shapes
    }
}

/// Reads the files as [`bring_access_logs`] does, and brings nothing. `progress` sees the number of
/// accesses of a file that were read.
pub async fn plan_access_logs(
    files: &[PathBuf],
    mapping: &Path,
    coverage: Coverage,
    progress: Progress<'_>,
) -> Result<ReadLogs<PlannedLog>, ImportError> {
    let understood = Understood::read(mapping, files, coverage).await?;
    let mut reader = LogReader::new(understood.mapping.clone());
    let (mut planned, mut reads) = (Vec::new(), Vec::new());
    for file in files {
        let format = understood.mapping.format();
        let (log, (read, next)) = plan_file(file, (format, reader), progress).await?;
        reader = next;
        if !read.is_nothing() {
            read.check(file)?;
            planned.push(log);
            reads.push((file, read));
        }
    }
    let parts: Vec<_> = reads.iter().map(|(file, read)| read.part(file)).collect();
    let readers: Vec<_> = reads.iter().map(|of| &of.1.readers).collect();
    let logged = understood.logged_reads(&readers, &joined_runs(&parts, coverage));
    let catalogue = catalogue_of(&understood.mapping, &parts, coverage);
    for (at, log) in planned.iter_mut().enumerate() {
        log.covers = covered(&parts, at, coverage);
        (log.catalogue, log.reads) = (catalogue, logged[at].clone());
    }
    Ok(ReadLogs { logs: planned, unnamed_tables: understood.mapping.unnamed_tables() })
}

async fn plan_file(
    file: &Path,
    (format, mut reader): (&str, LogReader),
    progress: Progress<'_>,
) -> Result<(PlannedLog, Rest), ImportError> {
    let mut log = PlannedLog {
        name: file_name(file),
        format: format.to_owned(),
        covers: None,
        catalogue: None,
        reads: LoggedReads::NotAsked,
        accesses: 0,
        everybody: 0,
        harmless: 0,
        unreadable: 0,
        actors: BTreeMap::new(),
        unnamed: Vec::new(),
    };
    let path = file.to_owned();
    let (mut lines, reading) = pages::read(PAGE, move |pages| {
        let read = read(&path, &mut reader, &mut |item| match item {
            Item::Access(access) => pages.push(Planned::of(access)),
            Item::Unnamed { line, shape } => pages.push(Planned::Unnamed { line, shape }),
            _ => Ok(()),
        })?;
        Ok((read, reader))
    });
    let mut shapes = Shapes::default();
    while let Some(some) = lines.recv().await {
        for line in some {
            log.count(line, &mut shapes);
        }
        progress(log.accesses, 0);
    }
    let (read, reader) = reading.await??;
    log.unnamed = shapes.most_first();
    (log.unreadable, log.harmless) = (read.unreadable, read.harmless);
    Ok((log, (read, reader)))
}

impl Planned {
    fn of(access: Access) -> Self {
        let everybody = match access.whose {
            Whose::Everybody { why } => Some(why),
            _ => None,
        };
        Self::Access { line: access.line, actors: [access.caller, access.via], everybody }
    }
}

impl PlannedLog {
    fn count(&mut self, planned: Planned, shapes: &mut Shapes) {
        match planned {
            Planned::Unnamed { line, shape } => {
                shapes.count(shape, line);
                shapes.named = Some(line);
            }
            Planned::Access { line, actors, everybody } => {
                self.accesses += 1;
                self.everybody += u64::from(everybody.is_some());
                let unnamed = everybody.filter(|_| shapes.named != Some(line));
                if let Some(why) = unnamed {
                    shapes.count(why, line);
                }
                for actor in actors.into_iter().collect::<BTreeSet<_>>() {
                    if self.actors.len() < MAX_COUNTED || self.actors.contains_key(&actor) {
                        *self.actors.entry(actor).or_default() += 1;
                    }
                }
            }
        }
    }
}
