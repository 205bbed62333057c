//! The steps of an incident that take more than one call.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use cofferdam_wire::Client;
use response_api::{Alarm, ListAlarms, Report};

use crate::StepError;
use crate::step::call;

/// Reads all alarms that changed after the sequence number `after`, oldest first, page by page.
pub async fn alarms(client: &Client, after: u64) -> Result<Vec<Alarm>, StepError> {
    let mut all: Vec<Alarm> = Vec::new();
    loop {
        let after = all.last().map_or(after, |alarm| alarm.seq);
        let page = call(client, &ListAlarms { after }).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
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
