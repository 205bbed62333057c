//! The only thread that writes. It takes all waiting entries, writes them, syncs once, and answers
//! all.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use cofferdam_tlog::Day;
use tokio::sync::oneshot;

use super::{LogError, Shared};

/// The most calls that may wait. Beyond that, a call waits for a place.
const QUEUE: usize = 8_192;

/// The entries of one call, with their days. They are written one behind the other.
type Encoded = Vec<(Day, Vec<u8>)>;

struct Waiting {
    entries: Encoded,
    answer: oneshot::Sender<Result<(), LogError>>,
}

/// Hands entries to the writer.
pub struct Sender(Mutex<Option<mpsc::SyncSender<Waiting>>>);

impl Sender {
    /// Hands in the entries of one call, and returns when they are on disk.
    pub async fn append(&self, entries: Encoded) -> Result<(), LogError> {
        let (answer, written) = oneshot::channel();
        let mut waiting = Waiting { entries, answer };
        loop {
            let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
            match sender.ok_or(LogError::Stopped)?.try_send(waiting) {
                Ok(()) => break,
                Err(mpsc::TrySendError::Disconnected(_)) => return Err(LogError::Stopped),
                Err(mpsc::TrySendError::Full(back)) => waiting = back,
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        written.await.unwrap_or(Err(LogError::Stopped))
    }

    /// Takes no more entries. The writer ends after it has written those that it has.
    pub fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// The writing thread.
pub struct Writer(JoinHandle<()>);

impl Writer {
    /// Starts the thread.
    pub fn start(shared: Arc<Shared>) -> (Self, Sender) {
        let (sender, queue) = mpsc::sync_channel(QUEUE);
        let thread = std::thread::spawn(move || write_all(&queue, &shared));
        (Self(thread), Sender(Mutex::new(Some(sender))))
    }

    /// Waits for the end of the thread.
    pub fn join(self) {
        if self.0.join().is_err() {
            tracing::error!("the writer of the release log panicked");
        }
    }
}

fn write_all(queue: &mpsc::Receiver<Waiting>, shared: &Shared) {
    let mut torn = false;
    while let Ok(first) = queue.recv() {
        let batch: Vec<Waiting> =
            std::iter::once(first).chain(queue.try_iter().take(QUEUE)).collect();
        let cut = if torn { cut(shared) } else { Ok(()) };
        let written = cut.and_then(|()| write(shared, &batch));
        torn = written.is_err();
        shared.set_trouble(written.as_ref().err().map(ToString::to_string));
        for waiting in batch {
            // `keys` releases no key without an entry on disk, so each call of the batch fails.
            let answer = if torn { Err(LogError::Unwritten) } else { Ok(()) };
            // A caller that has left loses the answer, but its entries are written.
            let _ = waiting.answer.send(answer);
        }
    }
    if torn && let Err(e) = cut(shared) {
        tracing::error!(cause = %e, "the torn end of the release log was not cut");
    }
}

/// Cuts off what a failed write left behind the last entry. Once the disk has room again, the log
/// goes on there.
fn cut(shared: &Shared) -> Result<(), LogError> {
    let size = shared.size();
    shared.segments.truncate(size)?;
    Ok(shared.hashes.truncate(size)?)
}

/// Writes a batch to disk, day by day, and adds it to the tree.
fn write(shared: &Shared, batch: &[Waiting]) -> Result<(), LogError> {
    let entries: Vec<&(Day, Vec<u8>)> = batch.iter().flat_map(|waiting| &waiting.entries).collect();
    let mut size = shared.size();
    for day in entries.chunk_by(|(a, _), (b, _)| a == b) {
        let bytes: Vec<&[u8]> = day.iter().map(|(_, entry)| entry.as_slice()).collect();
        shared.segments.append(size, day[0].0, &bytes)?;
        shared.hashes.append(size, bytes.iter().copied())?;
        size += bytes.len() as u64;
        *shared.size.write().unwrap_or_else(PoisonError::into_inner) = size;
    }
    Ok(())
}
