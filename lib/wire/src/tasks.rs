//! Runs work outside the request that started it.

use std::future::Future;

use cofferdam_core::InternalError;

/// A task panicked or was cancelled, so its result is lost.
#[derive(Debug, thiserror::Error)]
#[error("a task ended without a result: {0}")]
pub struct TaskLost(#[from] tokio::task::JoinError);

impl InternalError for TaskLost {}

/// Runs work to its end even if the caller disconnects meanwhile, so that no order stops half-way.
pub async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, TaskLost> {
    Ok(tokio::spawn(work).await?)
}

/// Runs work that computes or waits for the disk on a separate thread, so that the serving threads
/// stay free.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, TaskLost> {
    Ok(tokio::task::spawn_blocking(work).await?)
}
