//! Sending batches, two at a time, and counting what becomes of them.

use std::collections::VecDeque;
use std::time::Duration;

use accounts_api::{ImportCustomers, ImportOutcome, ImportResult};
use cofferdam_core::Record;
use cofferdam_wire::{CallError, Client};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::ImportError;
use super::reader::{Batch, RowReader, SourceError};
use super::rejects::{Reject, RejectsFile};
use crate::output::Progress;

/// How many batches are on their way together, at most.
pub const IN_FLIGHT: usize = 2;
/// How often a batch is sent again when `accounts` says that it may be.
const TRIES: u32 = 20;
/// The longest that is waited for that, in seconds.
const PATIENCE_S: u64 = 120;

/// What became of the rows so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// New customers.
    pub created: u64,
    /// Imported by an earlier run.
    pub already_there: u64,
    /// Not imported.
    pub rejected: u64,
}

/// Hears which line became which customer.
pub type Created<'a> = &'a mut (dyn FnMut(u64, Record) + Send);

/// An import under way.
pub struct Sending<'a> {
    client: &'a Client,
    source: &'a str,
    list: RejectsFile,
    progress: Progress,
    counts: Counts,
    under_way: VecDeque<Sent>,
    created: Created<'a>,
    in_flight: usize,
}

struct Sent {
    lines: Vec<u64>,
    up_to_line: u64,
    answer: JoinHandle<Result<Vec<ImportOutcome>, CallError>>,
}

impl<'a> Sending<'a> {
    /// An import that has sent nothing yet.
    pub fn new(
        client: &'a Client,
        source: &'a str,
        list: RejectsFile,
        progress: Progress,
        created: Created<'a>,
    ) -> Self {
        let (counts, under_way) = (Counts::default(), VecDeque::new());
        Self { client, source, list, progress, counts, under_way, created, in_flight: 1 }
    }

    /// Lets so many batches, up to [`IN_FLIGHT`], be on their way together.
    pub fn keep_in_flight(&mut self, batches: usize) {
        self.in_flight = batches.clamp(1, IN_FLIGHT);
    }

    /// Counts rows that an earlier run had done: those that it did not reject are there.
    pub const fn count_skipped(&mut self, rows: u64) {
        self.counts.already_there += rows.saturating_sub(self.list.count());
    }

    /// Sends all that `reader` has.
    pub async fn run(mut self, mut reader: RowReader) -> Result<Counts, ImportError> {
        let (read, mut batches) = mpsc::channel::<Result<Batch, SourceError>>(1);
        tokio::task::spawn_blocking(move || {
            while let Some(batch) = reader.next_batch().transpose() {
                let failed = batch.is_err();
                // Nobody listens any more when the import has failed.
                if read.blocking_send(batch).is_err() || failed {
                    return;
                }
            }
        });
        let sent = self.send_all(&mut batches).await;
        // What is under way is heard to its end, also after a failure: it counts.
        while !self.under_way.is_empty() {
            self.hear().await?;
        }
        sent?;
        self.progress.finish();
        self.counts.rejected = self.list.count();
        Ok(self.counts)
    }

    async fn send_all(
        &mut self,
        batches: &mut mpsc::Receiver<Result<Batch, SourceError>>,
    ) -> Result<(), ImportError> {
        while let Some(batch) = batches.recv().await {
            let batch = batch?;
            for reject in &batch.rejects {
                self.list.add(reject)?;
            }
            self.list.flush()?;
            if batch.rows.is_empty() {
                continue;
            }
            if self.under_way.len() == self.in_flight {
                self.hear().await?;
            }
            self.send(batch);
        }
        Ok(())
    }

    fn send(&mut self, batch: Batch) {
        let lines = batch.rows.iter().map(|row| row.line).collect();
        let call = ImportCustomers { source: self.source.to_owned(), rows: batch.rows };
        let answer = tokio::spawn(deliver(self.client.clone(), call));
        self.under_way.push_back(Sent { lines, up_to_line: batch.up_to_line, answer });
    }

    /// Waits for the batch that was sent first.
    async fn hear(&mut self) -> Result<(), ImportError> {
        let Some(sent) = self.under_way.pop_front() else { return Ok(()) };
        let outcomes = match sent.answer.await {
            Ok(answer) => answer?,
            Err(e) => std::panic::resume_unwind(e.into_panic()),
        };
        if !outcomes.iter().map(|outcome| outcome.line).eq(sent.lines.iter().copied()) {
            return Err(ImportError::Mismatch);
        }
        for ImportOutcome { line, result } in outcomes {
            match result {
                ImportResult::Created(record) => {
                    self.counts.created += 1;
                    (self.created)(line, record);
                }
                ImportResult::AlreadyThere(_) => self.counts.already_there += 1,
                ImportResult::Rejected(reason) => self.list.add(&Reject { line, reason })?,
            }
        }
        self.list.flush()?;
        self.progress.set(sent.up_to_line);
        Ok(())
    }
}

/// Makes one call, again where `accounts` says when: a call can be repeated.
async fn deliver(client: Client, call: ImportCustomers) -> Result<Vec<ImportOutcome>, CallError> {
    for _ in 1..TRIES {
        let answer = client.call(&call).await;
        match answer.as_ref().err().and_then(wait_for) {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return answer,
        }
    }
    client.call(&call).await
}

/// How long `accounts` asks to wait, where it does and that is not too long.
fn wait_for(error: &CallError) -> Option<Duration> {
    let seconds = error.problem()?.retry_after_s?;
    (seconds <= PATIENCE_S).then(|| Duration::from_secs(seconds.max(1)))
}
