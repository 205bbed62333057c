//! Reading a file of customers: its digest, the place where an earlier run stopped, and its rows in
//! batches.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use accounts_api::{ImportRow, MAX_IMPORT};
use aws_lc_rs::digest::{Context, SHA256};
use csv::{ByteRecord, ReaderBuilder, Terminator};

use super::error::SourceError;
use super::lines::Lines;
use super::rejects::Reject;
use super::rows::Columns;

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
    /// The number of its rows, good and bad.
    pub rows: u64,
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
            for _ in 0..skipped.rows {
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
        if reader.columns.row(&reader.record, line).is_ok() {
            recent.push_back(skipped);
            if recent.len() > IN_FLIGHT * MAX_IMPORT {
                recent.pop_front();
            }
        }
        skipped = Skipped { rows: skipped.rows + 1, up_to_line: line };
    }
    Ok(recent.pop_front().unwrap_or_default())
}

/// Reads the rows of a file one after the other.
pub struct RowReader {
    path: PathBuf,
    csv: csv::Reader<Lines<BufReader<File>>>,
    columns: Columns,
    record: ByteRecord,
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
            .from_reader(lines);
        let header = csv.byte_headers().cloned().map_err(|source| SourceError::Record {
            path: path.clone(),
            line: 1,
            source,
        })?;
        let columns = Columns::of(&header)
            .map_err(|source| SourceError::Header { path: path.clone(), source })?;
        Ok(Self { path, csv, columns, record: ByteRecord::new() })
    }

    /// Reads the next batch; `None` at the end of the file.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, SourceError> {
        let mut batch = Batch::default();
        while batch.rows.len() < MAX_IMPORT && batch.rejects.len() < MAX_IMPORT {
            let Some(line) = self.next_record()? else { break };
            match self.columns.row(&self.record, line) {
                Ok(row) => batch.rows.push(row),
                Err(e) => batch.rejects.push(Reject { line, reason: e.to_string() }),
            }
            batch.up_to_line = line;
        }
        Ok((batch.up_to_line > 0).then_some(batch))
    }

    /// Reads the next record into `record`, and returns the line on which it begins.
    fn next_record(&mut self) -> Result<Option<u64>, SourceError> {
        self.csv.get_mut().next_record();
        let before = self.csv.position().line();
        let more = self.csv.read_byte_record(&mut self.record).map_err(|source| {
            SourceError::Record { path: self.path.clone(), line: before, source }
        })?;
        // A record ends in a line break; its other line breaks are inside cells. The line that csv
        // gives is before the empty lines in front of the record.
        let within = line_breaks(self.record.as_slice());
        Ok(more.then(|| before.max(self.csv.position().line().saturating_sub(1 + within))))
    }
}
