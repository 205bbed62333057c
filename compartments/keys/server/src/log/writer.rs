//! The one thread that writes: it takes what waits, writes it, syncs once, and answers all.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use cofferdam_store::tlog::frames;
use tokio::sync::oneshot;

use super::{LogError, Shared};

/// Entries that wait at most; past it, callers wait for a place.
const QUEUE: usize = 8_192;

struct Waiting {
    entry: Vec<u8>,
    answer: oneshot::Sender<u64>,
}

/// Where entries are handed in.
pub struct Sender(Mutex<Option<mpsc::SyncSender<Waiting>>>);

impl Sender {
    /// Hands in an entry; its index, once it is on disk.
    pub async fn append(&self, entry: Vec<u8>) -> Result<u64, LogError> {
        let (answer, written) = oneshot::channel();
        let mut waiting = Waiting { entry, answer };
        loop {
            let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
            match sender.ok_or(LogError::Stopped)?.try_send(waiting) {
                Ok(()) => break,
                Err(mpsc::TrySendError::Disconnected(_)) => return Err(LogError::Stopped),
                Err(mpsc::TrySendError::Full(back)) => waiting = back,
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        written.await.map_err(|_| LogError::Stopped)
    }

    /// Takes no more entries; the writer ends with what it has.
    pub fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// The writing thread.
pub struct Writer(JoinHandle<()>);

impl Writer {
    /// Starts the thread.
    pub fn start(path: PathBuf, shared: Arc<Shared>) -> (Self, Sender) {
        let (sender, queue) = mpsc::sync_channel(QUEUE);
        let thread = std::thread::spawn(move || {
            if let Err(e) = write_all(&queue, &shared, &path) {
                // Every waiting and later append fails: without the log nothing is released.
                tracing::error!(cause = %e, "the release log can't be written");
            }
        });
        (Self(thread), Sender(Mutex::new(Some(sender))))
    }

    /// Waits for the thread's end.
    pub fn join(self) {
        if self.0.join().is_err() {
            tracing::error!("the release log's writer ended in a panic");
        }
    }
}

fn write_all(
    queue: &mpsc::Receiver<Waiting>,
    shared: &Shared,
    path: &Path,
) -> Result<(), LogError> {
    let mut frame = Vec::new();
    while let Ok(first) = queue.recv() {
        let batch: Vec<Waiting> =
            std::iter::once(first).chain(queue.try_iter().take(QUEUE)).collect();
        frame.clear();
        for waiting in &batch {
            frames::push(&mut frame, &waiting.entry);
        }
        let mut file = &shared.entries;
        file.write_all(&frame)
            .and_then(|()| file.sync_data())
            .map_err(|e| LogError::io(path, e))?;
        commit(shared, batch)?;
    }
    Ok(())
}

/// Makes a batch that is on disk part of the tree, and answers those who wait for it.
fn commit(shared: &Shared, batch: Vec<Waiting>) -> Result<(), LogError> {
    let size = shared.state().size;
    shared.hashes.append(size, batch.iter().map(|waiting| waiting.entry.as_slice()))?;
    {
        let mut state = shared.state.write().unwrap_or_else(PoisonError::into_inner);
        for waiting in &batch {
            state.push(waiting.entry.len());
        }
    }
    for (index, waiting) in (size..).zip(batch) {
        // Whoever no longer waits has lost its answer, not the entry.
        let _ = waiting.answer.send(index);
    }
    Ok(())
}
