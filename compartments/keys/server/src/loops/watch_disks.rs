//! Watches what `keys` stands on: the room on its disks, the log's last write, and damage in the
//! database.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_store::LowDisk;
use cofferdam_wire::Ailment;
use keys_api::AlarmKind;

use crate::app::App;

const EVERY: Duration = Duration::from_secs(1);

/// Runs for as long as it is polled.
pub async fn watch_disks(app: Arc<App>) {
    loop {
        let low = app.disks.low();
        let line = |disk: &LowDisk| {
            format!("{} MiB are left on the disk of {}", disk.free_mib, disk.dir.display())
        };
        let trouble = app.log.trouble();
        app.health.set("disk", low.first().map(line).map(Ailment::Warning));
        app.health.set("log", trouble.clone().map(Ailment::Failing));
        let unwritten = trouble.map(|cause| format!("the release log can't be written: {cause}"));
        for detail in low.iter().map(line).chain(unwritten) {
            app.alarms.ring(app.now().await, AlarmKind::Disk, None, detail).await;
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Rings if the database is damaged. Runs for as long as it is polled.
pub async fn search_database(app: Arc<App>) {
    match app.db.watch_for_damage(|damage| report_damage(&app, damage)).await {}
}

async fn report_damage(app: &App, damage: Option<String>) {
    let detail = damage.map(|what| format!("the database of keys is damaged: {what}"));
    app.health.set("database", detail.clone().map(Ailment::Failing));
    if let Some(detail) = detail {
        app.alarms.ring(app.now().await, AlarmKind::Damage, None, detail).await;
    }
}
