//! Holds running letters and published notices to what holds now.

use std::sync::Arc;
use std::time::Duration;

use crate::acts::claims::hold_to_claims;
use crate::app::App;

/// The pause between two rounds.
const CHECK_EVERY: Duration = Duration::from_secs(2);

/// Checks the claims of running letters and notices until the compartment stops.
pub async fn hold_claims(app: Arc<App>) {
    loop {
        tokio::time::sleep(CHECK_EVERY).await;
        if let Err(problem) = hold_to_claims(&app).await {
            tracing::warn!(%problem, "the claims of letters could not be checked");
        }
    }
}
