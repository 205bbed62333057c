//! Deletes expired reset codes at once. Deletes sessions, mailed codes and changes once they are so
//! old that no breach found late could still concern them.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use crate::app::App;

/// The time for which sessions, mailed codes and changes are kept: a breach may be found late.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);

const EVERY: Duration = Duration::from_mins(10);

/// Sweeps every ten minutes, for as long as it is polled.
pub async fn sweep(app: Arc<App>) {
    loop {
        let now = app.now();
        let forget = now.saturating_sub(KEPT).unwrap_or(now);
        match app.store.sweep(now, forget).await {
            Ok(swept) => tracing::debug!(swept, "expired sessions and codes are gone"),
            Err(e) => tracing::error!(cause = %e, "expired sessions and codes can't be deleted"),
        }
        tokio::time::sleep(EVERY).await;
    }
}
