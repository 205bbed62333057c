//! The upkeep. Every second: counted alarms and the checkpoint. Once a day: the segments of the log.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_tlog::Day;

use crate::StartError;
use crate::app::App;

const EVERY: Duration = Duration::from_secs(1);

/// Runs for as long as it is polled.
pub async fn keep_up(app: Arc<App>) {
    let mut tidied = None;
    loop {
        if let Err(e) = keep_up_once(&app, &mut tidied).await {
            tracing::error!(cause = %e, "upkeep failed");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn keep_up_once(app: &Arc<App>, tidied: &mut Option<Day>) -> Result<(), StartError> {
    let now = app.now().await;
    app.alarms.flush(now).await;
    app.numbers.save().await?;
    app.sealed.age(now).await?;
    app.tell_unanswered(now).await?;
    app.log.save_checkpoint()?;
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    metrics::gauge!("cofferdam_log_entries").set(app.log.size() as f64);
    let today = Day::of(now);
    if *tidied != Some(today) {
        *tidied = Some(today);
        let app = app.clone();
        // Reading a day's segment takes time, and must not delay the next second's upkeep.
        tokio::task::spawn_blocking(move || {
            if let Err(e) = app.log.tidy(today) {
                tracing::error!(cause = %e, "past segments could not be indexed");
            }
        });
    }
    Ok(())
}
