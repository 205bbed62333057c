//! What happens beside the requests, every second: counted alarms, the checkpoint, changes of
//! other instances; and once a day the log's segments.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_tlog::Day;
use cofferdam_wire::RefusedClient;
use keys_api::AlarmKind;
use tokio::sync::mpsc;

use super::{App, lock};
use crate::store;

const EVERY: Duration = Duration::from_secs(1);

impl App {
    /// Runs until it is dropped.
    pub async fn keep_up(self: Arc<Self>) {
        let mut tidied = None;
        loop {
            if let Err(e) = self.keep_up_once(&mut tidied).await {
                tracing::error!(cause = %e, "upkeep failed");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Rings for clients that knock without a good certificate.
    pub async fn watch_door(self: Arc<Self>, mut knocks: mpsc::Receiver<RefusedClient>) {
        while let Some(RefusedClient { peer, why }) = knocks.recv().await {
            let detail = format!("{peer} knocked with a certificate that is no good: {why}");
            self.alarms.ring(self.now().await, AlarmKind::BadCertificate, None, detail).await;
        }
    }

    async fn keep_up_once(
        self: &Arc<Self>,
        tidied: &mut Option<Day>,
    ) -> Result<(), crate::StartError> {
        let now = self.now().await;
        // What others changed comes first: a freeze must not wait for anything here.
        if store::generation(&self.db).await? != *lock(&self.generation) {
            self.reload().await?;
        }
        self.alarms.flush(now).await;
        self.log.save_checkpoint()?;
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        metrics::gauge!("cofferdam_log_entries").set(self.log.size() as f64);
        let today = Day::of(now);
        if *tidied != Some(today) {
            *tidied = Some(today);
            let app = self.clone();
            // Reads a day's segment: beside the requests, not before them.
            tokio::task::spawn_blocking(move || {
                if let Err(e) = app.log.tidy(today) {
                    tracing::error!(cause = %e, "past segments could not be indexed");
                }
            });
        }
        Ok(())
    }
}
