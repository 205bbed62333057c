//! One person: "was I affected, by what, and when?"

use std::sync::Arc;

use cofferdam_core::{Record, Timestamp};
use cofferdam_tlog::TlogError;
use cofferdam_wire::{Problem, blocking};
use response_api::{Incident, People, PersonExposure};
use response_exposure::{
    FallenHosts, Slot, access_log_window, page_of, person_exposure, slots_of_record,
    unresolved_slots,
};

use super::{release_log_windows, table};
use crate::acts::customer_numbers;
use crate::app::App;
use crate::logs::FileLog;
use crate::loops::copy_logs;
use crate::store::Finding;

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
    Ok(person_exposure(record, number, &population, &levels, slots))
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
