//! Reading a file of customers: its digest, the place where an earlier run stopped, and its rows in
//! batches.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use accounts_api::{ImportRow, MAX_IMPORT};
use aws_lc_rs::digest::{Context, SHA256};
use cofferdam_foreign::table::Quotes;
use csv::{ByteRecord, ReaderBuilder, Terminator};

use super::error::SourceError;
use super::lines::Lines;
use super::rejects::Reject;
use super::rows::{BadRow, Columns};

/// The most batches that are under way at once.
pub const IN_FLIGHT: usize = 2;
/// The number of bytes that are read at once.
const BUFFER: usize = 256 << 10;

/// A file to import.
#[derive(Debug, Clone)]
pub struct Source {
    path: PathBuf,
    digest: String,
    lines: u64,
}

/// The head of a file, which need not be sent again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// The number of its rows, good and bad. A row that a quote may have joined counts as one for each
    /// of its lines.
    pub rows: u64,
    /// The number of its records, as the parser finds them.
    records: u64,
    /// The line on which its last row begins.
    pub up_to_line: u64,
}

/// Rows of a file, in their order.
#[derive(Debug, Default)]
pub struct Batch {
    /// The rows to send, up to [`MAX_IMPORT`].
    pub rows: Vec<ImportRow>,
    /// The rows that can't be sent.
    pub rejects: Vec<Reject>,
    /// The line on which the last row of the batch begins.
    pub up_to_line: u64,
}

impl Source {
    /// Reads a file from end to end for its digest.
    pub async fn open(path: &Path) -> Result<Self, SourceError> {
        let path = path.to_owned();
        blocking(move || {
            let (digest, lines) =
                digest(&path).map_err(|source| SourceError::Io { path: path.clone(), source })?;
            Ok(Self { path, digest, lines })
        })
        .await
    }

    /// The file's SHA-256, hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The number of lines in the file. A last line without an end is not counted.
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// Makes a reader that continues after the rows that `accounts` surely has, if batches were
    /// sent up to `done_to_line`. Batches can overtake each other, so those that may have been
    /// under way with the last one are read and sent again.
    pub async fn resume(&self, done_to_line: u64) -> Result<(RowReader, Skipped), SourceError> {
        let path = self.path.clone();
        blocking(move || {
            let skipped = done_for_sure(RowReader::open(&path)?, done_to_line)?;
            let mut reader = RowReader::open(&path)?;
            for _ in 0..skipped.records {
                reader.next_record()?;
            }
            Ok((reader, skipped))
        })
        .await
    }
}

/// Runs work that blocks on files, on a thread for such work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => std::panic::resume_unwind(e.into_panic()),
    }
}

/// The SHA-256 of a file, hexadecimal, and the number of its line ends.
fn digest(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut context = Context::new(&SHA256);
    let mut lines = 0;
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((hex::encode(context.finish()), lines));
        }
        context.update(&buffer[..read]);
        lines += line_breaks(&buffer[..read]);
    }
}

fn line_breaks(bytes: &[u8]) -> u64 {
    bytes.split(|byte| *byte == b'\n').count() as u64 - 1
}

/// Finds the head of the file that `accounts` surely has.
fn done_for_sure(mut reader: RowReader, done_to_line: u64) -> Result<Skipped, SourceError> {
    // The head before each of the last good rows that may have been under way.
    let mut recent = VecDeque::new();
    let mut skipped = Skipped::default();
    while let Some(line) = reader.next_record()? {
        if line > done_to_line {
            break;
        }
        let mut rows = 1;
        match reader.row(line) {
            Ok(_) => {
                recent.push_back(skipped);
                if recent.len() > IN_FLIGHT * MAX_IMPORT {
                    recent.pop_front();
                }
            }
            Err(fault) => rows = reader.rejects_of(fault),
        }
        let (rows, records) = (skipped.rows + rows, skipped.records + 1);
        skipped = Skipped { rows, records, up_to_line: line };
    }
    Ok(recent.pop_front().unwrap_or_default())
}

/// Reads the rows of a file one after the other.
pub struct RowReader {
    path: PathBuf,
    csv: csv::Reader<Quotes<Lines<BufReader<File>>>>,
    columns: Columns,
    record: ByteRecord,
    /// Whether a quote in the record may have joined rows.
    may_be_joined: bool,
}

impl RowReader {
    fn open(path: &Path) -> Result<Self, SourceError> {
        let path = path.to_owned();
        let file =
            File::open(&path).map_err(|source| SourceError::Io { path: path.clone(), source })?;
        let lines = Lines::new(BufReader::with_capacity(BUFFER, file));
        let mut csv = ReaderBuilder::new()
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(Quotes::new(lines, b',').with_lf_only());
        let header = csv.byte_headers().cloned().map_err(|source| SourceError::Record {
            path: path.clone(),
            line: 1,
            source,
        })?;
        let columns = Columns::of(&header)
            .map_err(|source| SourceError::Header { path: path.clone(), source })?;
        Ok(Self { path, csv, columns, record: ByteRecord::new(), may_be_joined: false })
    }

    /// Reads the next batch; `None` at the end of the file.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, SourceError> {
        let mut batch = Batch::default();
        while batch.rows.len() < MAX_IMPORT && batch.rejects.len() < MAX_IMPORT {
            let Some(line) = self.next_record()? else { break };
            match self.row(line) {
                Ok(row) => batch.rows.push(row),
                Err(fault) => {
                    for _ in 0..self.rejects_of(fault) {
                        batch.rejects.push(Reject { line, reason: fault.to_string() });
                    }
                }
            }
            batch.up_to_line = line;
        }
        Ok((batch.up_to_line > 0).then_some(batch))
    }

    /// The row in the record that begins on `line`.
    fn row(&self, line: u64) -> Result<ImportRow, BadRow> {
        if self.may_be_joined {
            return Err(BadRow::Joined);
        }
        self.columns.row(&self.record, line)
    }

    /// The number of rows that are lost with the record. If a quote may have joined rows, each of its
    /// lines may be one.
    fn rejects_of(&self, fault: BadRow) -> u64 {
        match fault {
            BadRow::Joined | BadRow::Width { .. } => 1 + line_breaks(self.record.as_slice()),
            _ => 1,
        }
    }

    /// Reads the next record into `record`, and returns the line on which it begins.
    fn next_record(&mut self) -> Result<Option<u64>, SourceError> {
        self.csv.get_mut().get_mut().next_record();
        let before = self.csv.position().line();
        let failed = |source| SourceError::Record { path: self.path.clone(), line: before, source };
        let more = self.csv.read_byte_record(&mut self.record).map_err(failed)?;
        let end = self.csv.position().byte();
        if self.csv.get_ref().is_open_at(end) {
            let what = "a quote is never closed, so everything behind it is one cell";
            return Err(failed(io::Error::other(what).into()));
        }
        self.may_be_joined = self.csv.get_mut().fault_up_to(end);
        // A record ends in a line break; its other line breaks are inside cells. The line that csv
        // gives is before the empty lines in front of the record.
        let within = line_breaks(self.record.as_slice());
        Ok(more.then(|| before.max(self.csv.position().line().saturating_sub(1 + within))))
    }
}
