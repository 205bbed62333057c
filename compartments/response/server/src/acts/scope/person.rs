//! One person: "was I affected, by what, and when?"

use std::sync::Arc;

use cofferdam_core::{Record, Timestamp};
use cofferdam_tlog::TlogError;
use cofferdam_wire::{Problem, blocking};
use response_api::{Incident, People, PersonExposure, PersonLine};
use response_exposure::{
    FallenHosts, Slot, access_log_window, for_each_access_of, page_of, person_exposure,
    slots_of_record, unresolved_slots,
};

use super::{release_log_windows, table};
use crate::acts::customer_numbers;
use crate::app::App;
use crate::logs::FileLog;
use crate::loops::copy_logs;
use crate::store::Finding;

/// The most lines of access logs that are shown of a person.
const MAX_LINES: usize = 100;

/// Reads the exposure of one person's data.
pub async fn person(
    app: &Arc<App>,
    incident: &Incident,
    record: Record,
) -> Result<PersonExposure, Problem> {
    let id = incident.incident;
    let exposure = app.exposure(id).await?;
    let pages = app.store.finding::<Timestamp>(id, Finding::Pages).await?;
    let mut slots: Vec<Slot> = if pages == Some(exposure.computed) {
        let (number, low) = page_of(record.0);
        let pages = app.store.pages(id, number).await?;
        pages.iter().flat_map(|page| page.slots_of(low)).collect()
    } else {
        slots_from_logs(app, incident, record).await?
    };
    let (number, population) = match incident.people {
        People::Accounts => {
            let population = app.people.customers.lock().await.population.clone();
            (customer_numbers::number_of(app, record).await, population)
        }
        People::Table => (None, app.brought().await?),
    };
    let hosts = FallenHosts::of(incident);
    let levels = app.levels(&exposure).await?;
    slots.extend(unresolved_slots(&exposure.unresolved, &hosts, &levels.read, record));
    let mut person = person_exposure(record, number, &population, &levels, slots);
    if incident.people == People::Table {
        match lines_of(app, incident, record).await {
            Ok((lines, count)) => (person.lines, person.line_count) = (lines, Some(count)),
            // The logs are files of the instance at which they were brought; the rest is in the store.
            Err(e) => tracing::warn!(cause = %e, "the lines of a person can't be read here"),
        }
    }
    Ok(person)
}

/// The first lines of the brought logs that name a person, and the number of all.
async fn lines_of(
    app: &Arc<App>,
    incident: &Incident,
    record: Record,
) -> Result<(Vec<PersonLine>, u64), Problem> {
    let access_logs = app.store.access_logs().await?;
    let logs = table::open_logs(app, &access_logs)?;
    let (hosts, window) = (FallenHosts::of(incident), access_log_window(incident));
    let found = blocking(move || {
        let (mut lines, mut count) = (Vec::new(), 0);
        for (access_log, log) in access_logs.iter().zip(&logs) {
            let before = lines.len();
            for_each_access_of(log, &hosts, window, record, &mut |entry| {
                count += 1;
                if lines.len() - before < MAX_LINES {
                    let (log, at) = (access_log.name.clone(), entry.at());
                    lines.push(PersonLine { log, line: entry.line, at, fields: entry.fields });
                }
            })?;
        }
        lines.sort_by(|a, b| (a.at, &a.log, a.line).cmp(&(b.at, &b.log, b.line)));
        lines.truncate(MAX_LINES);
        Ok::<_, TlogError>((lines, count))
    });
    Ok(found.await??)
}

/// Reads one person's slots from the logs themselves, while the pages are being written.
async fn slots_from_logs(
    app: &Arc<App>,
    incident: &Incident,
    record: Record,
) -> Result<Vec<Slot>, Problem> {
    let hosts = FallenHosts::of(incident);
    let logs: Vec<_> = match incident.people {
        People::Table => {
            let logs = table::open_logs(app, &app.store.access_logs().await?)?;
            let window = access_log_window(incident);
            logs.into_iter().map(|log| (log, window)).collect()
        }
        People::Accounts => {
            let (ends, _) = copy_logs(app).await;
            let (windows, _) = release_log_windows(app, incident).await?;
            let logs = FileLog::of_copies(&app.logs, &hosts, &ends).await?;
            logs.into_iter().zip(windows.into_iter().map(|of| of.window)).collect()
        }
    };
    let found = blocking(move || {
        let mut slots = Vec::new();
        for (log, window) in &logs {
            slots.extend(slots_of_record(log, &hosts, *window, record)?);
        }
        Ok::<_, TlogError>(slots)
    });
    Ok(found.await??)
}
