//! Reading on a thread of its own, in pages that another task sends. No more than a few pages are
//! held at a time.

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use super::error::ImportError;

/// The most pages that wait to be sent.
const WAITING: usize = 2;

/// A running reader. It ends with its result or an error.
pub type Reading<R> = JoinHandle<Result<R, ImportError>>;

/// A row or an access that can't be handed on.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The sending task ended. That task's own error gives the reason.
    #[error("sending stopped")]
    Stopped,
    /// The list of rejects can't be written.
    #[error(transparent)]
    Rejects(#[from] ImportError),
}

/// Collects items into pages, and hands full pages on.
pub struct Pages<T> {
    page: Vec<T>,
    size: usize,
    to: Sender<Vec<T>>,
}

impl<T: Send + 'static> Pages<T> {
    /// Adds an item to the page, and hands the page on when it is full.
    pub fn push(&mut self, item: T) -> Result<(), TakeError> {
        self.page.push(item);
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

/// Starts `work`, which reads on its own thread, and returns the pages of `size` items that it
/// fills.
pub fn read<T: Send + 'static, R: Send + 'static>(
    size: usize,
    work: impl FnOnce(&mut Pages<T>) -> Result<R, ImportError> + Send + 'static,
) -> (Receiver<Vec<T>>, Reading<R>) {
    let (to, from) = channel(WAITING);
    let reading = tokio::task::spawn_blocking(move || {
        let mut pages = Pages { page: Vec::new(), size, to };
        let done = work(&mut pages)?;
        // If the sending task ended, the caller reports that task's error, not this one.
        let _ = pages.flush();
        Ok(done)
    });
    (from, reading)
}
