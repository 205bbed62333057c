//! Names the customers of void orders to `keys`, which may not answer when an order is carried out.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::voiding;

/// The time between two looks at the orders that `keys` may not know.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Runs for as long as it is polled.
pub async fn name_voided(app: Arc<App>) {
    loop {
        voiding::name_customers(&app).await;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
