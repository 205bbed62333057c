//! Follows the orders that other instances take.

use std::sync::Arc;

use crate::app::App;

/// Runs for as long as it is polled.
pub async fn keep_up(app: Arc<App>) {
    match app.orders.keep_up().await {}
}
