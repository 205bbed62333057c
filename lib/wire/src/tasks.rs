//! Work that must not hold up the threads that serve.

use std::future::Future;

use cofferdam_core::InternalError;

/// The work panicked: its result is lost.
#[derive(Debug, thiserror::Error)]
#[error("a task ended without a result: {0}")]
pub struct TaskLost(#[from] tokio::task::JoinError);

impl InternalError for TaskLost {}

/// Runs work to its end, also when the caller that waits for it goes away: an order must not stop
/// half-way.
pub async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, TaskLost> {
    Ok(tokio::spawn(work).await?)
}

/// Runs work that computes or waits for the disk on a thread of its own.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, TaskLost> {
    Ok(tokio::task::spawn_blocking(work).await?)
}
