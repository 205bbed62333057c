//! Names the customers of void orders over some to `keys`, so that `keys` refuses void passwords itself. The
//! orders hold in `accounts` before, and while `keys` does not answer.

use std::sync::Arc;
use std::time::Duration;

use keys_client::VaultError;

use crate::app::App;
use crate::store::Unnamed;

/// The time between two looks at the orders that `keys` may not know.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Runs for as long as it is polled.
pub async fn name_voided(app: Arc<App>) {
    loop {
        if let Err(e) = name_customers(&app).await {
            tracing::warn!(cause = %e, "keys does not yet know the customers of a void order");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn name_customers(app: &App) -> Result<(), VaultError> {
    for order in app.store.unnamed_orders().await? {
        let Unnamed { number, incident, instants, roaring } = order;
        app.vault.note_voided(incident, instants, roaring).await?;
        app.store.set_named(number).await?;
    }
    Ok(())
}
