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

/// The size of a page. It is full at the number of items or at their weight, whichever comes first.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// The number of items.
    pub items: usize,
    /// The weight of all items together.
    pub weight: usize,
}

impl From<usize> for Size {
    fn from(items: usize) -> Self {
        Self { items, weight: usize::MAX }
    }
}

/// Collects items into pages, and hands full pages on.
pub struct Pages<T> {
    page: Vec<T>,
    weight: usize,
    size: Size,
    to: Sender<Vec<T>>,
}

impl<T: Send + 'static> Pages<T> {
    /// Adds an item to the page, and hands the page on when it is full.
    pub fn push(&mut self, item: T) -> Result<(), TakeError> {
        self.push_weighing(item, 1)
    }

    /// Adds an item of a weight to the page, and hands the page on when it is full.
    pub fn push_weighing(&mut self, item: T, weight: usize) -> Result<(), TakeError> {
        self.page.push(item);
        self.weight += weight;
        let full = self.page.len() >= self.size.items || self.weight >= self.size.weight;
        if full { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), TakeError> {
        let page = std::mem::take(&mut self.page);
        self.weight = 0;
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
    size: impl Into<Size>,
    work: impl FnOnce(&mut Pages<T>) -> Result<R, ImportError> + Send + 'static,
) -> (Receiver<Vec<T>>, Reading<R>) {
    let (size, (to, from)) = (size.into(), channel(WAITING));
    let reading = tokio::task::spawn_blocking(move || {
        let mut pages = Pages { page: Vec::new(), weight: 0, size, to };
        let done = work(&mut pages)?;
        // If the sending task ended, the caller reports that task's error, not this one.
        let _ = pages.flush();
        Ok(done)
    });
    (from, reading)
}
