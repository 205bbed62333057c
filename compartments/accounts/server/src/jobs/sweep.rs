//! Forgets sessions and reset codes that expired.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;

const EVERY: Duration = Duration::from_mins(10);

/// Sweeps every ten minutes, for as long as it is polled.
pub async fn sweep(app: Arc<App>) {
    loop {
        match app.store.sweep(app.now()).await {
            Ok(swept) => tracing::debug!(swept, "expired sessions and codes are gone"),
            Err(e) => tracing::error!(cause = %e, "expired sessions and codes can't be deleted"),
        }
        tokio::time::sleep(EVERY).await;
    }
}
