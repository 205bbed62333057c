//! Follows the changes that other instances make in the shared database.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_wire::Ailment;

use crate::app::App;

/// The time between two looks at the health of the instance.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Runs for as long as it is polled. Health fails while the newest orders are unknown, so that callers
/// turn to another instance.
pub async fn follow_orders(app: Arc<App>) {
    let told = async {
        loop {
            let unknown = app.shared.check_newest().err();
            app.health.set("orders", unknown.map(|problem| Ailment::Failing(problem.detail)));
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::select! {
        never = app.shared.keep_up() => match never {},
        () = told => {}
    }
}
