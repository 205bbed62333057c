//! Follows the freezes that other instances carry out.

use std::sync::Arc;

use crate::app::App;

/// Runs for as long as it is polled.
pub async fn keep_up(app: Arc<App>) {
    match app.frozen.keep_up().await {}
}
