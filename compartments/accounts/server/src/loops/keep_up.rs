//! Follows the orders that other instances take.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_wire::{Ailment, Health};

use crate::app::App;

/// The time between two looks at the health of the instance.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Runs for as long as it is polled. Health fails while the newest orders are unknown, so that a
/// balancer sends nobody here.
pub async fn keep_up(app: Arc<App>, health: Health) {
    let told = async {
        loop {
            let unknown = app.orders().err();
            health.set("orders", unknown.map(|problem| Ailment::Failing(problem.detail)));
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::select! {
        never = app.orders.keep_up() => match never {},
        () = told => {}
    }
}
