//! Bringing other systems' access logs to `response`.

mod plan;
mod readers;
mod understood;

use std::fmt::Display;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use cofferdam_core::{Access, Timestamp, Whose};
use cofferdam_foreign::{Item, LogMapping, LogReader};
use cofferdam_wire::Client;
use response_api::{
    AccessLog, BeginAccessLog, FinishAccessLog, ImportAccessLog, LogCatalogue, LogStatements,
    LoggedReads, RemoveAccessLog, Span,
};
use tokio::sync::mpsc::Receiver;

use super::customers::default_rejects;
use super::error::ImportError;
use super::pages::{self, Reading, Size, TakeError};
use super::rejects::{Reject, RejectsFile};
use super::rotation;
use crate::Progress;
use readers::Readers;
use understood::Understood;

pub use plan::{PlannedLog, UnnamedShape, plan_access_logs};

/// The number of accesses in a page, and of the names in it. A page stays small enough to be sent.
const PAGE: Size = Size { items: 5_000, weight: 50_000 };
/// The most names in an access. An access to more is brought as several.
const MAX_NAMES: usize = 10_000;
/// The version of the reading. A log that was read by an earlier one is another log.
const READING: &[u8] = b"reading 5\n";

/// The time for which logs are complete.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a statement of its own")]
pub struct Coverage {
    /// The beginning; by default the instant of the first line.
    pub from: Option<Timestamp>,
    /// The end; by default the instant of the last line.
    pub to: Option<Timestamp>,
    /// Whether staff state that nothing is missing between the files.
    pub joined: bool,
    /// Whether staff state that the logs were shipped off their host as they grew.
    pub shipped: bool,
    /// Whether staff state that no definition but those in the logs came between them and the
    /// catalogue.
    pub unchanged: bool,
    /// Whether staff state that the logs hold every read.
    pub reads_logged: bool,
    /// Whether staff accept that no line names a table of the mapping.
    pub unnamed: bool,
}

/// The logs that were read with a mapping.
#[derive(Debug)]
pub struct ReadLogs<T> {
    /// The logs, one for each file that has lines.
    pub logs: Vec<T>,
    /// The tables of the mapping that no line of the files names. A name may be misspelt.
    pub unnamed_tables: Vec<String>,
}

/// A file that was read and sent.
struct Brought<'a> {
    file: &'a Path,
    /// The log's name at `response`: SHA-256 of the file and its mapping, hexadecimal.
    log: String,
    read: FileRead,
}

/// Brings the files, oldest first. `mapping` explains their lines, and each file continues the one
/// before it. Lines that can't be read are listed beside their file. `progress` sees the number of
/// accesses of a file that were sent.
pub async fn bring_access_logs(
    client: &Client,
    files: &[PathBuf],
    mapping: &Path,
    coverage: Coverage,
    progress: Progress<'_>,
) -> Result<ReadLogs<AccessLog>, ImportError> {
    let understood = Understood::read(mapping, files, coverage).await?;
    let mut brought = Vec::new();
    let mut reader = LogReader::new(understood.mapping.clone());
    for file in files {
        let log = digest(file, &understood.whole).map_err(ImportError::read(file))?;
        let format = understood.mapping.format();
        let (of, next) = send(client, file, log.clone(), (format, reader), progress).await?;
        reader = next;
        let fits = of.read.check(file);
        if of.read.is_nothing() || fits.is_err() {
            client.call(&RemoveAccessLog { log }).await.map_err(ImportError::Response)?;
            fits?;
        } else {
            brought.push(of);
        }
    }
    let parts: Vec<_> = brought.iter().map(|of| of.read.part(of.file)).collect();
    let catalogue = catalogue_of(&understood.mapping, &parts, coverage);
    let readers: Vec<_> = brought.iter().map(|of| &of.read.readers).collect();
    let reads = understood.logged_reads(&readers, &joined_runs(&parts, coverage));
    let mut logs = Vec::new();
    for (at, of) in brought.iter().enumerate() {
        let covers = covered(&parts, at, coverage)
            .ok_or_else(|| ImportError::NoInstant(of.file.to_owned()))?;
        let (first, last) = (at == 0, at + 1 == brought.len());
        let call = FinishAccessLog {
            log: of.log.clone(),
            covers,
            unreadable: of.read.unreadable,
            source: Some(understood.source()),
            stated: LogStatements {
                covers: (first && coverage.from.is_some()) || (last && coverage.to.is_some()),
                joined: !last && coverage.joined,
                shipped: coverage.shipped,
                unchanged: catalogue.is_some() && coverage.unchanged,
                reads_logged: reads[at] != LoggedReads::Shown && coverage.reads_logged,
            },
            catalogue,
            reads: reads[at].clone(),
        };
        logs.push(client.call(&call).await.map_err(ImportError::Response)?);
    }
    if logs.is_empty() {
        return Err(ImportError::Nothing);
    }
    Ok(ReadLogs { logs, unnamed_tables: understood.mapping.unnamed_tables() })
}

/// A file with its name and its span.
struct Part {
    name: String,
    span: Option<Span>,
    /// Whether a session of the file before goes on in this one.
    continues: bool,
    /// Whether lines of a session are missing.
    has_gaps: bool,
}

/// Whether nothing is missing between two files. What the numbers of lines show weighs more than
/// names, and more than what staff say.
fn joins(before: &Part, next: &Part, coverage: Coverage) -> bool {
    let named = rotation::follows(&before.name, &next.name);
    !next.has_gaps && (coverage.joined || next.continues || named)
}

/// The files by runs in which nothing is missing between one and the next, as the files of one server
/// are.
fn joined_runs(parts: &[Part], coverage: Coverage) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for at in 0..parts.len() {
        match runs.last_mut() {
            Some(run) if joins(&parts[at - 1], &parts[at], coverage) => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

/// The catalogue by which the files were read, and whether they show all definitions up to it.
fn catalogue_of(mapping: &LogMapping, parts: &[Part], coverage: Coverage) -> Option<LogCatalogue> {
    let (taken, logged) = mapping.definitions()?;
    let spans = || parts.iter().filter_map(|part| part.span);
    let within = spans().any(|span| span.from <= taken) && spans().any(|span| taken <= span.to);
    let whole = parts.windows(2).all(|pair| joins(&pair[0], &pair[1], coverage));
    Some(LogCatalogue { taken, followed: logged && within && whole })
}

/// Computes the time that a file covers: from its first line to its last one, or to the first line
/// of the next file if nothing is missing between them. Staff may state more for the ends.
fn covered(parts: &[Part], at: usize, coverage: Coverage) -> Option<Span> {
    let own = parts[at].span;
    let next = parts.get(at + 1).filter(|next| joins(&parts[at], next, coverage));
    let next = next.and_then(|next| next.span).map(|span| span.from);
    let (first, last) = (at == 0, at + 1 == parts.len());
    let own_from = own.map(|span| span.from);
    let from = coverage.from.filter(|_| first).into_iter().chain(own_from).min()?;
    let own_to = own.map(|span| span.to);
    let to = coverage.to.filter(|_| last).into_iter().chain(next).chain(own_to).max()?;
    Some(Span { from, to: to.max(from) })
}

fn file_name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The rest of a file: what it holds besides accesses, and the reader for the next file.
type Rest = (FileRead, LogReader);

/// Starts to read a file.
fn start_reading(file: &Path, mut reader: LogReader) -> (Receiver<Vec<Access>>, Reading<Rest>) {
    let path = file.to_owned();
    pages::read(PAGE, move |pages| {
        let read = read(&path, &mut reader, &mut |item| match item {
            Item::Access(access) => parts_of(access)
                .into_iter()
                .try_for_each(|(part, names)| pages.push_weighing(part, names)),
            _ => Ok(()),
        })?;
        Ok((read, reader))
    })
}

/// Splits an access that names very many people. Gives each part with the number of its names.
fn parts_of(access: Access) -> Vec<(Access, usize)> {
    let part = |whose| Access { whose, ..access.clone() };
    match &access.whose {
        Whose::Keys(names) if names.len() > MAX_NAMES => {
            let some = names.chunks(MAX_NAMES);
            some.map(|names| (part(Whose::Keys(names.to_vec())), names.len())).collect()
        }
        Whose::Emails(names) if names.len() > MAX_NAMES => {
            let some = names.chunks(MAX_NAMES);
            some.map(|names| (part(Whose::Emails(names.to_vec())), names.len())).collect()
        }
        Whose::Keys(names) | Whose::Emails(names) => {
            let names = names.len();
            vec![(access, names)]
        }
        Whose::Everybody { .. } => vec![(access, 1)],
    }
}

async fn send<'a>(
    client: &Client,
    file: &'a Path,
    log: String,
    (format, reader): (&str, LogReader),
    progress: Progress<'_>,
) -> Result<(Brought<'a>, LogReader), ImportError> {
    let (name, format) = (file_name(file), format.to_owned());
    let begin = BeginAccessLog { log: log.clone(), name, format };
    let state = client.call(&begin).await.map_err(ImportError::Response)?;
    let (mut accesses, reading) = start_reading(file, reader);
    let mut page = 0;
    while let Some(some) = accesses.recv().await {
        if !state.finished && page >= state.pages {
            let import = ImportAccessLog { log: log.clone(), page, accesses: some };
            client.call(&import).await.map_err(ImportError::Response)?;
        }
        page += 1;
        progress(u64::from(page) * PAGE.items as u64, 0);
    }
    let (read, reader) = reading.await??;
    Ok((Brought { file, log, read }, reader))
}

/// The result of reading a file to its end.
#[derive(Debug, Clone, Default)]
struct FileRead {
    /// The instants of the first line and of the last one.
    span: Option<Span>,
    /// The lines that can't be read or are missing.
    unreadable: u64,
    harmless: u64,
    continues: bool,
    has_gaps: bool,
    readers: Readers,
    /// The fault of the first line that can't be read.
    first_fault: Option<String>,
}

impl FileRead {
    /// Whether the file is empty, or has only comments.
    const fn is_nothing(&self) -> bool {
        self.span.is_none() && self.unreadable == 0 && self.harmless == 0
    }

    /// Refuses a file of which the mapping fits no line.
    fn check(&self, file: &Path) -> Result<(), ImportError> {
        match &self.first_fault {
            Some(fault) if self.span.is_none() && self.harmless == 0 => {
                Err(ImportError::NoLineFits { file: file.to_owned(), fault: fault.clone() })
            }
            _ => Ok(()),
        }
    }

    fn part(&self, file: &Path) -> Part {
        let Self { span, continues, has_gaps, .. } = *self;
        Part { name: file_name(file), span, continues, has_gaps }
    }
}

fn read(
    path: &Path,
    reader: &mut LogReader,
    take: &mut dyn FnMut(Item) -> Result<(), TakeError>,
) -> Result<FileRead, ImportError> {
    let failed = |e: &dyn Display| ImportError::read(path)(e);
    let file = File::open(path).map_err(|e| failed(&e))?;
    let mut rejects: Option<RejectsFile> = None;
    let mut done = FileRead::default();
    let mut reject = |line, reason| {
        let list = match &mut rejects {
            Some(list) => list,
            None => rejects.insert(RejectsFile::open(&default_rejects(path), 0)?),
        };
        list.add(&Reject { line, reason })
    };
    let log = BufReader::with_capacity(1 << 20, file);
    let read = reader.read(log, &mut |item| {
        match item {
            Item::Seen(at) => {
                let span = done.span.get_or_insert(Span { from: at, to: at });
                *span = Span { from: span.from.min(at), to: span.to.max(at) };
            }
            Item::Access(access) => {
                done.readers.note_user(&access.via);
                take(Item::Access(access))?;
            }
            Item::Unnamed { .. } => take(item)?,
            Item::Harmless { .. } => done.harmless += 1,
            Item::ShowsReads { via } => done.readers.note_reader(via),
            Item::Continues => done.continues = true,
            Item::Gap { line, lines } => {
                done.unreadable += lines;
                done.has_gaps = true;
                reject(line, format!("{lines} lines of its session are missing before it"))?;
            }
            Item::Bad { line, why } => {
                done.unreadable += 1;
                done.first_fault.get_or_insert_with(|| why.clone());
                reject(line, why)?;
            }
        }
        Ok::<_, TakeError>(())
    });
    read.map_err(|e| failed(&e))?;
    if let Some(list) = &mut rejects {
        list.flush()?;
    }
    Ok(done)
}

/// Computes the name of a log: SHA-256 of the mapping and the file, hexadecimal.
fn digest(path: &Path, mapping: &[u8]) -> std::io::Result<String> {
    let mut context = Context::new(&SHA256);
    context.update(READING);
    context.update(mapping);
    let (mut file, mut buffer) = (File::open(path)?, vec![0; 256 << 10]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex::encode(context.finish()));
        }
        context.update(&buffer[..read]);
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::CallerName;

    use super::*;

    fn parts(parts: &[(&str, Option<(&str, &str)>)]) -> Vec<Part> {
        let span = |(from, to): (&str, &str)| Span { from: at(from), to: at(to) };
        let part = |(name, of): &(&str, Option<_>)| Part {
            name: (*name).to_owned(),
            span: of.map(span),
            continues: false,
            has_gaps: false,
        };
        parts.iter().map(part).collect()
    }

    fn at(time: &str) -> Timestamp {
        format!("2012-01-15T{time}:00Z").parse().unwrap()
    }

    #[test]
    fn files_cover_the_time_between_them_only_if_they_join() {
        let joining = [("a.log.1", Some(("01:00", "02:00"))), ("a.log", Some(("03:00", "04:00")))];
        let apart = [("x.log", joining[0].1), ("y.log", joining[1].1)];
        let span = |of: &[_], n, coverage| covered(&parts(of), n, coverage).unwrap();
        let none = Coverage::default();
        assert_eq!(span(&joining, 0, none), Span { from: at("01:00"), to: at("03:00") });
        assert_eq!(span(&joining, 1, none), Span { from: at("03:00"), to: at("04:00") });
        assert_eq!(span(&apart, 0, none), Span { from: at("01:00"), to: at("02:00") });
        let joined = Coverage { joined: true, ..none };
        assert_eq!(span(&apart, 0, joined), Span { from: at("01:00"), to: at("03:00") });
        let said = Coverage { from: Some(at("00:00")), to: Some(at("06:00")), ..joined };
        assert_eq!(span(&joining, 0, said), Span { from: at("00:00"), to: at("03:00") });
        assert_eq!(span(&joining, 1, said), Span { from: at("03:00"), to: at("06:00") });
    }

    #[test]
    fn the_numbers_of_lines_show_whether_files_join() {
        let span = |from, to| Some((from, to));
        let mut all = parts(&[("x", span("01:00", "02:00")), ("y", span("03:00", "04:00"))]);
        let end = |all: &[Part], joined| {
            let coverage = Coverage { joined, ..Coverage::default() };
            covered(all, 0, coverage).unwrap().to
        };
        assert_eq!(end(&all, false), at("02:00"));
        all[1].continues = true;
        assert_eq!(end(&all, false), at("03:00"));
        all[1].has_gaps = true;
        assert_eq!(end(&all, false), at("02:00"));
        assert_eq!(end(&all, true), at("02:00"), "nobody's word fills a gap");
    }

    #[test]
    fn files_that_do_not_join_are_apart() {
        let hours = Some(("01:00", "02:00"));
        let all = parts(&[("a.log.2", hours), ("a.log.1", hours), ("b.log", hours)]);
        assert_eq!(joined_runs(&all, Coverage::default()), [0..2, 2..3]);
        let joined = Coverage { joined: true, ..Coverage::default() };
        assert_eq!(joined_runs(&all, joined).len(), 1);
        assert!(joined_runs(&[], joined).is_empty());
    }

    #[test]
    fn a_file_without_instants_covers_what_staff_say_or_nothing() {
        let all = parts(&[("a", None)]);
        assert_eq!(covered(&all, 0, Coverage::default()), None);
        let said =
            Coverage { from: Some(at("05:00")), to: Some(at("06:00")), ..Coverage::default() };
        assert_eq!(covered(&all, 0, said), Some(Span { from: at("05:00"), to: at("06:00") }));
    }

    #[test]
    fn an_access_to_very_many_people_is_split() {
        let name = |n: usize| cofferdam_core::Personal::new(n.to_string());
        let access = Access {
            line: 1,
            at: at("01:00"),
            caller: CallerName::from_foreign("a"),
            via: CallerName::from_foreign("b"),
            operation: cofferdam_core::Operation::Release,
            fields: cofferdam_core::FieldSet::EMPTY,
            whose: Whose::Keys((0..25_000).map(name).collect()),
        };
        let sizes: Vec<_> = parts_of(access).into_iter().map(|(_, names)| names).collect();
        assert_eq!(sizes, [10_000, 10_000, 5_000]);
    }
}
