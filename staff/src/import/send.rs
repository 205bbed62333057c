//! Sending batches of customers, two at a time, and counting the outcomes.

use std::collections::VecDeque;
use std::time::Duration;

use accounts_api::{ImportCustomers, ImportOutcome, ImportResult};
use cofferdam_core::CustomerNumber;
use cofferdam_wire::{CallError, Client};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::error::{ImportError, SourceError};
use super::reader::{Batch, IN_FLIGHT, RowReader};
use super::rejects::{Reject, RejectsFile};

/// The most times that a batch is sent while `accounts` asks to come back later.
const TRIES: u32 = 20;
/// The longest time that `accounts` may ask to wait, in seconds.
const PATIENCE_S: u64 = 120;

/// The counts of rows by outcome, so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows that became new customers.
    pub created: u64,
    /// Rows that an earlier run imported.
    pub already_there: u64,
    /// Rows that were not imported.
    pub rejected: u64,
}

/// Sees each line with the customer that it became.
pub type Created<'a> = &'a mut (dyn FnMut(u64, CustomerNumber) + Send);

/// An import under way.
pub struct Sending<'a> {
    client: &'a Client,
    source: &'a str,
    list: RejectsFile,
    counts: Counts,
    under_way: VecDeque<Sent>,
    created: Created<'a>,
    /// Sees the last line for which `accounts` answered.
    progress: &'a mut (dyn FnMut(u64) + Send),
    in_flight: usize,
}

/// A batch without an answer so far.
struct Sent {
    lines: Vec<u64>,
    up_to_line: u64,
    answer: JoinHandle<Result<Vec<ImportOutcome>, CallError>>,
}

impl<'a> Sending<'a> {
    /// Makes an import that has sent nothing yet.
    pub fn new(
        client: &'a Client,
        source: &'a str,
        list: RejectsFile,
        created: Created<'a>,
        progress: &'a mut (dyn FnMut(u64) + Send),
    ) -> Self {
        let (counts, under_way) = (Counts::default(), VecDeque::new());
        Self { client, source, list, counts, under_way, created, progress, in_flight: 1 }
    }

    /// Allows this many batches under way at once, up to [`IN_FLIGHT`].
    pub fn keep_in_flight(&mut self, batches: usize) {
        self.in_flight = batches.clamp(1, IN_FLIGHT);
    }

    /// Counts rows of an earlier run. Those that are not on the list of rejects are customers now.
    pub const fn count_skipped(&mut self, rows: u64) {
        self.counts.already_there += rows.saturating_sub(self.list.count());
    }

    /// Sends everything that `reader` reads.
    pub async fn run(mut self, mut reader: RowReader) -> Result<Counts, ImportError> {
        let (read, mut batches) = mpsc::channel::<Result<Batch, SourceError>>(1);
        tokio::task::spawn_blocking(move || {
            while let Some(batch) = reader.next_batch().transpose() {
                let failed = batch.is_err();
                // A closed channel means that the import has failed.
                if read.blocking_send(batch).is_err() || failed {
                    return;
                }
            }
        });
        let sent = self.send_all(&mut batches).await;
        // The answers of batches under way are taken after a failure too, because their rows count.
        while !self.under_way.is_empty() {
            self.take_answer().await?;
        }
        sent?;
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
                self.take_answer().await?;
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

    /// Waits for the answer to the batch that was sent first, and counts its outcomes.
    async fn take_answer(&mut self) -> Result<(), ImportError> {
        let Some(sent) = self.under_way.pop_front() else { return Ok(()) };
        let outcomes = match sent.answer.await {
            Ok(answer) => answer.map_err(ImportError::Accounts)?,
            Err(e) => std::panic::resume_unwind(e.into_panic()),
        };
        if !outcomes.iter().map(|outcome| outcome.line).eq(sent.lines.iter().copied()) {
            return Err(ImportError::Mismatch);
        }
        for ImportOutcome { line, result } in outcomes {
            match result {
                ImportResult::Created(number) => {
                    self.counts.created += 1;
                    (self.created)(line, number);
                }
                ImportResult::AlreadyThere(_) => self.counts.already_there += 1,
                ImportResult::Rejected(reason) => self.list.add(&Reject { line, reason })?,
            }
        }
        self.list.flush()?;
        (self.progress)(sent.up_to_line);
        Ok(())
    }
}

/// Sends a batch, again as often as `accounts` asks to come back later. Sending it twice does no
/// harm: `accounts` recognises rows that it has.
async fn deliver(client: Client, call: ImportCustomers) -> Result<Vec<ImportOutcome>, CallError> {
    for _ in 1..TRIES {
        let answer = client.call(&call).await;
        match answer.as_ref().err().and_then(retry_after) {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return answer,
        }
    }
    client.call(&call).await
}

/// The time that `accounts` asks to wait, unless it is too long.
fn retry_after(error: &CallError) -> Option<Duration> {
    let seconds = error.problem()?.retry_after_s?;
    (seconds <= PATIENCE_S).then(|| Duration::from_secs(seconds.max(1)))
}
