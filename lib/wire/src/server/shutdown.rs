//! The request to stop the process.

/// The request to stop the process: SIGTERM or Ctrl-C.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shutdown;

impl Shutdown {
    /// Waits until the process is asked to stop.
    pub async fn requested(self) {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            tracing::error!("signals can't be received; stop this process with SIGKILL");
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}
