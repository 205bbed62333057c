//! Follows the freezes that other instances carry out.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_wire::{Ailment, Health};

use crate::app::App;

/// The time between two looks at the health of the instance.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Runs for as long as it is polled. Health fails while it is unknown who is frozen, so that a
/// balancer sends nobody here.
pub async fn keep_up(app: Arc<App>, health: Health) {
    let told = async {
        loop {
            let unknown = app.frozen().err();
            health.set("frozen callers", unknown.map(|problem| Ailment::Failing(problem.detail)));
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::select! {
        never = app.frozen.keep_up() => match never {},
        () = told => {}
    }
}
