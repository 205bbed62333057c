//! Bringing other systems' access logs to `response`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use cofferdam_core::{Access, CallerName, Timestamp, Whose};
use cofferdam_foreign::{Item, LogMapping, read_log};
use cofferdam_wire::{Client, load_config};
use response_api::{AccessLog, BeginAccessLog, FinishAccessLog, ImportAccessLog, Span};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::mpsc::Receiver;

use super::customers::default_rejects;
use super::error::ImportError;
use super::pages::{self, Reading, TakeError};
use super::rejects::{Reject, RejectsFile};
use crate::Progress;

/// The number of accesses in a page. A page stays small, because an access that names many
/// customers is large.
const PAGE: usize = 5_000;

/// The time for which logs are complete.
#[derive(Debug, Clone, Copy, Default)]
pub struct Coverage {
    /// The beginning; by default the instant of the first line.
    pub from: Option<Timestamp>,
    /// The end; by default the instant of the last line.
    pub to: Option<Timestamp>,
}

/// A file that was read and sent.
struct Brought<'a> {
    file: &'a Path,
    /// The log's name at `response`: SHA-256 of the file and its mapping, hexadecimal.
    log: String,
    /// The instants of the first line and of the last one.
    span: Option<Span>,
    unreadable: u64,
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
) -> Result<Vec<AccessLog>, ImportError> {
    let understood: LogMapping = load_config(mapping)?;
    let mapping_text = std::fs::read(mapping).map_err(ImportError::read(mapping))?;
    let mut brought = Vec::new();
    for file in files {
        let log = digest(file, &mapping_text).map_err(ImportError::read(file))?;
        brought.push(send(client, file, log, &understood, progress).await?);
    }
    let spans: Vec<_> = brought.iter().map(|of| of.span).collect();
    let mut logs = Vec::new();
    for (at, of) in brought.iter().enumerate() {
        let covers = covered(&spans, at, coverage)
            .ok_or_else(|| ImportError::NoInstant(of.file.to_owned()))?;
        let call = FinishAccessLog { log: of.log.clone(), covers, unreadable: of.unreadable };
        logs.push(client.call(&call).await.map_err(ImportError::Response)?);
    }
    Ok(logs)
}

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
    /// The number of accesses in the log.
    pub accesses: u64,
    /// The number of accesses that count as everybody's, as far as the log alone shows.
    pub everybody: u64,
    /// The number of lines that can't be read. They are listed beside the file.
    pub unreadable: u64,
    /// The clients, users and servers that appear in it, each with the number of its accesses.
    pub actors: BTreeMap<CallerName, u64>,
}

/// Reads the files as [`bring_access_logs`] does, and brings nothing. `progress` sees the number of
/// accesses of a file that were read.
pub async fn plan_access_logs(
    files: &[PathBuf],
    mapping: &Path,
    coverage: Coverage,
    progress: Progress<'_>,
) -> Result<Vec<PlannedLog>, ImportError> {
    let understood: LogMapping = load_config(mapping)?;
    let (mut planned, mut spans) = (Vec::new(), Vec::new());
    for file in files {
        let mut log = PlannedLog {
            name: file_name(file),
            format: understood.format().to_owned(),
            covers: None,
            accesses: 0,
            everybody: 0,
            unreadable: 0,
            actors: BTreeMap::new(),
        };
        let (mut accesses, reading) = start_reading(file, &understood);
        while let Some(some) = accesses.recv().await {
            for access in &some {
                log.count(access);
            }
            progress(log.accesses, 0);
        }
        let FileRead { span, unreadable } = reading.await??;
        log.unreadable = unreadable;
        spans.push(span);
        planned.push(log);
    }
    for (at, log) in planned.iter_mut().enumerate() {
        log.covers = covered(&spans, at, coverage);
    }
    Ok(planned)
}

impl PlannedLog {
    fn count(&mut self, access: &Access) {
        self.accesses += 1;
        self.everybody += u64::from(matches!(access.whose, Whose::Everybody { .. }));
        *self.actors.entry(access.caller.clone()).or_default() += 1;
        if access.via != access.caller {
            *self.actors.entry(access.via.clone()).or_default() += 1;
        }
    }
}

/// Computes the time that a file covers: from its first line to the first line of the next file.
fn covered(spans: &[Option<Span>], at: usize, coverage: Coverage) -> Option<Span> {
    let own = spans[at];
    let next = spans.get(at + 1).copied().flatten().map(|span| span.from);
    let (first, last) = (at == 0, at + 1 == spans.len());
    let from = coverage.from.filter(|_| first).or(own.map(|span| span.from))?;
    let to = coverage.to.filter(|_| last).or(next).or(own.map(|span| span.to))?;
    Some(Span { from, to: to.max(from) })
}

fn file_name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Starts to read a file. The reader's result is the file's span and the number of unreadable
/// lines.
fn start_reading(file: &Path, mapping: &LogMapping) -> (Receiver<Vec<Access>>, Reading<FileRead>) {
    let (path, mapping) = (file.to_owned(), mapping.clone());
    pages::read(PAGE, move |pages| read(&path, &mapping, &mut |access| pages.push(access)))
}

async fn send<'a>(
    client: &Client,
    file: &'a Path,
    log: String,
    mapping: &LogMapping,
    progress: Progress<'_>,
) -> Result<Brought<'a>, ImportError> {
    let (name, format) = (file_name(file), mapping.format().to_owned());
    let begin = BeginAccessLog { log: log.clone(), name, format };
    let state = client.call(&begin).await.map_err(ImportError::Response)?;
    let (mut accesses, reading) = start_reading(file, mapping);
    let mut page = 0;
    while let Some(some) = accesses.recv().await {
        if !state.finished && page >= state.pages {
            let import = ImportAccessLog { log: log.clone(), page, accesses: some };
            client.call(&import).await.map_err(ImportError::Response)?;
        }
        page += 1;
        progress(u64::from(page) * PAGE as u64, 0);
    }
    let FileRead { span, unreadable } = reading.await??;
    Ok(Brought { file, log, span, unreadable })
}

/// The result of reading a file to its end.
#[derive(Debug, Clone, Copy, Default)]
struct FileRead {
    span: Option<Span>,
    unreadable: u64,
}

fn read(
    path: &Path,
    mapping: &LogMapping,
    take: &mut dyn FnMut(Access) -> Result<(), TakeError>,
) -> Result<FileRead, ImportError> {
    let failed = |e: &dyn Display| ImportError::read(path)(e);
    let file = File::open(path).map_err(|e| failed(&e))?;
    let mut rejects: Option<RejectsFile> = None;
    let mut done = FileRead::default();
    read_log(mapping, BufReader::with_capacity(1 << 20, file), &mut |item| {
        match item {
            Item::Seen(at) => {
                let span = done.span.get_or_insert(Span { from: at, to: at });
                *span = Span { from: span.from.min(at), to: span.to.max(at) };
            }
            Item::Access(access) => take(access)?,
            Item::Bad { line, why } => {
                done.unreadable += 1;
                let list = match &mut rejects {
                    Some(list) => list,
                    None => rejects.insert(RejectsFile::open(&default_rejects(path), 0)?),
                };
                list.add(&Reject { line, reason: why })?;
            }
        }
        Ok::<_, TakeError>(())
    })
    .map_err(|e| failed(&e))?;
    if let Some(list) = &mut rejects {
        list.flush()?;
    }
    Ok(done)
}

/// Computes the name of a log: SHA-256 of the mapping and the file, hexadecimal.
fn digest(path: &Path, mapping: &[u8]) -> std::io::Result<String> {
    let mut context = Context::new(&SHA256);
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
    use super::*;

    fn spans(spans: &[Option<(&str, &str)>]) -> Vec<Option<Span>> {
        let span = |(from, to): (&str, &str)| Span { from: at(from), to: at(to) };
        spans.iter().map(|of| of.map(span)).collect()
    }

    fn at(time: &str) -> Timestamp {
        format!("2012-01-15T{time}:00Z").parse().unwrap()
    }

    #[test]
    fn files_cover_the_time_between_them_and_what_staff_say_at_the_ends() {
        let all = spans(&[Some(("01:00", "02:00")), Some(("03:00", "04:00"))]);
        let span = |n, coverage| covered(&all, n, coverage).unwrap();
        assert_eq!(span(0, Coverage::default()), Span { from: at("01:00"), to: at("03:00") });
        assert_eq!(span(1, Coverage::default()), Span { from: at("03:00"), to: at("04:00") });
        let said = Coverage { from: Some(at("00:00")), to: Some(at("06:00")) };
        assert_eq!(span(0, said), Span { from: at("00:00"), to: at("03:00") });
        assert_eq!(span(1, said), Span { from: at("03:00"), to: at("06:00") });
    }

    #[test]
    fn a_file_without_instants_covers_what_staff_say_or_nothing() {
        let all = spans(&[None]);
        assert_eq!(covered(&all, 0, Coverage::default()), None);
        let said = Coverage { from: Some(at("05:00")), to: Some(at("06:00")) };
        assert_eq!(covered(&all, 0, said), Some(Span { from: at("05:00"), to: at("06:00") }));
    }
}
