//! Steps of an incident that are more than one call.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use cofferdam_wire::Client;
use response_api::{FeedAlarm, IncidentId, Notice, PublishNotice, ReadFeed, Report};

use crate::StepError;
use crate::step::{call, scope_first};

/// The alarms that changed after the sequence number `after`, oldest first. The feed comes in
/// pages, and this reads all of them.
pub async fn alarms(client: &Client, after: u64) -> Result<Vec<FeedAlarm>, StepError> {
    let mut all: Vec<FeedAlarm> = Vec::new();
    loop {
        let after = all.last().map_or(after, |alarm| alarm.seq);
        let page = call(client, &ReadFeed { after }).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// Publishes the notice of a scoped incident.
pub async fn publish_notice(client: &Client, incident: IncidentId) -> Result<Notice, StepError> {
    let published = client.call(&PublishNotice { incident }).await;
    published.map_err(|e| StepError::refused(e, Some(scope_first(incident))))
}

/// Writes the page of a report into a file that only its owner can read.
pub fn write_report(report: &Report, path: &Path) -> Result<(), StepError> {
    let write = || {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.write_all(report.html.as_bytes())
    };
    write().map_err(StepError::file(path))
}
