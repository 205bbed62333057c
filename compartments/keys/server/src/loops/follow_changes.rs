//! Follows the changes that other instances make in the shared database.

use std::sync::Arc;
use std::time::Duration;

use crate::StartError;
use crate::app::App;

/// The time between two looks. Compartments ask twice a second for revoked keys, so that a key
/// which was revoked at another instance is refused everywhere within a second.
const EVERY: Duration = Duration::from_millis(200);

/// Runs for as long as it is polled.
pub async fn follow_changes(app: Arc<App>) {
    loop {
        if let Err(e) = follow_once(&app).await {
            tracing::error!(cause = %e, "the changes of other instances could not be read");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn follow_once(app: &App) -> Result<(), StartError> {
    if app.shared.is_outdated().await? {
        app.shared.reload().await?;
    }
    Ok(())
}
