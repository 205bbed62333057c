//! A reader on a thread of its own, that hands pages to somebody who sends them: no more than two
//! are held at a time.

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use super::ImportError;
use crate::CommandError;

/// Pages that wait.
const WAITING: usize = 2;

/// Why what was read can't be handed on.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// Nobody takes pages any more: whoever did says why.
    #[error("sending stopped")]
    Stopped,
    /// The list of rejects can't be written.
    #[error(transparent)]
    Rejects(#[from] ImportError),
}

/// Fills pages of a size and hands them on.
pub struct Pages<T> {
    page: Vec<T>,
    size: usize,
    to: Sender<Vec<T>>,
}

impl<T: Send + 'static> Pages<T> {
    /// Adds one.
    pub fn push(&mut self, one: T) -> Result<(), TakeError> {
        self.page.push(one);
        if self.page.len() == self.size { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), TakeError> {
        let page = std::mem::take(&mut self.page);
        if page.is_empty() {
            Ok(())
        } else {
            self.to.blocking_send(page).map_err(|_| TakeError::Stopped)
        }
    }
}

/// Starts to read: the pages, and what the reader ends with.
pub fn read<T: Send + 'static, R: Send + 'static>(
    size: usize,
    work: impl FnOnce(&mut Pages<T>) -> Result<R, CommandError> + Send + 'static,
) -> (Receiver<Vec<T>>, JoinHandle<Result<R, CommandError>>) {
    let (to, from) = channel(WAITING);
    let handle = tokio::task::spawn_blocking(move || {
        let mut pages = Pages { page: Vec::new(), size, to };
        let done = work(&mut pages)?;
        pages.flush()?;
        Ok(done)
    });
    (from, handle)
}
