//! One person: "was I affected, by what, and when". What the logs say of the fallen hosts is cut
//! into pages of 65,536 records, so that one person takes a few rows, whatever the exposure.

use std::collections::BTreeMap;
use std::sync::Arc;

use cofferdam_core::{Field, FieldSet, Operation, Record, Timestamp};
use cofferdam_index::{IndexKey, Part};
use cofferdam_tlog::{SegmentName, TlogError};
use cofferdam_wire::Problem;
use response_api::{
    Exposure, Incident, IncidentId, Level, People, PersonEvent, PersonExposure, Unresolved,
};
use roaring::RoaringBitmap;

use super::read::Readable;
use crate::app::App;
use crate::domain::page::{Page, Slot, place};
use crate::domain::population::Population;
use crate::domain::scope::{Fallen, SIGN_IN, Share, Window, fields_of};
use crate::jobs::copy_logs;
use crate::store::Kind;

/// Writes the pages of an exposure that was computed at an instant.
pub async fn write_pages(
    app: &Arc<App>,
    incident: IncidentId,
    fallen: &Arc<Fallen>,
    window: Window,
    logs: Result<Vec<Readable>, Problem>,
    computed: Timestamp,
) {
    let written = async {
        let logs = logs?;
        app.store.clear_pages(incident).await?;
        let mut number = 0;
        let logs = Arc::new(logs);
        for (place, log) in logs.iter().enumerate() {
            for name in log.names() {
                let (logs, fallen) = (logs.clone(), fallen.clone());
                let cut =
                    cofferdam_wire::blocking(move || pages(&logs[place], name, &fallen, window));
                let pages = cut.await?;
                let pages = pages?;
                app.store.add_pages(incident, number, &pages).await?;
                number += 1;
            }
        }
        app.store.set_finding(incident, Kind::Pages, &computed).await.map_err(Problem::from)
    };
    let result: Result<(), Problem> = written.await;
    if let Err(e) = result {
        tracing::error!(incident = incident.0, cause = %e, "one person's exposure will be slow to find");
    }
}

/// What one segment says of the fallen hosts, by page.
pub fn pages(
    log: &Readable,
    name: SegmentName,
    fallen: &Fallen,
    window: Window,
) -> Result<BTreeMap<u16, Page>, TlogError> {
    let mut pages: BTreeMap<u16, Page> = BTreeMap::new();
    each(log, name, fallen, window, &mut |slot, records| {
        let mut last: Option<(u16, &mut Page)> = None;
        for record in records {
            let (number, low) = place(record);
            match &mut last {
                Some((at, page)) if *at == number => page.push(low),
                _ => {
                    let page = pages.entry(number).or_default();
                    page.begin(slot);
                    page.push(low);
                    last = Some((number, page));
                }
            }
        }
    })?;
    Ok(pages)
}

/// Shows each bitmap of a fallen host in the window, with its hour.
fn each(
    log: &Readable,
    name: SegmentName,
    fallen: &Fallen,
    window: Window,
    show: &mut dyn FnMut(&Slot, &RoaringBitmap),
) -> Result<(), TlogError> {
    let index = log.index(name, fallen, &|parts| window.detail(parts).by_part())?;
    for (key, parts) in &index.bitmaps {
        for (place, records) in parts {
            let Some(part) = index.parts.get(usize::from(*place)) else { continue };
            if matches!(window.share(part), Share::Whole | Share::Doubtful) {
                show_fields(key, part, fallen, records, show);
            }
        }
    }
    for part in index.parts.iter().filter(|part| window.share(part) == Share::Some) {
        for (key, records) in touched(log, name, part, fallen, window)? {
            show_fields(&key, part, fallen, &records, show);
        }
    }
    Ok(())
}

fn show_fields(
    key: &IndexKey,
    part: &Part,
    fallen: &Fallen,
    records: &RoaringBitmap,
    show: &mut dyn FnMut(&Slot, &RoaringBitmap),
) {
    let Some(level) = fallen.level(&key.caller, &key.via, key.operation) else { return };
    let fields: FieldSet = match key.field {
        Some(field) => FieldSet::EMPTY.with(field),
        None => SIGN_IN.into_iter().collect(),
    };
    let slot = Slot {
        first_ms: part.first_ms,
        last_ms: part.last_ms,
        caller: key.caller.clone(),
        via: key.via.clone(),
        level,
        fields,
    };
    show(&slot, records);
}

/// Whose data fallen hosts touched in an hour that lies only partly in the window.
fn touched(
    log: &Readable,
    name: SegmentName,
    part: &Part,
    fallen: &Fallen,
    window: Window,
) -> Result<BTreeMap<IndexKey, RoaringBitmap>, TlogError> {
    let mut all: BTreeMap<IndexKey, RoaringBitmap> = BTreeMap::new();
    log.scan(name, part, fallen, &mut |_, entry| {
        log.glance()(entry, &mut |seen| {
            let Some(touch) = seen.touch.as_ref().filter(|_| window.holds(seen.at)) else { return };
            if fallen.level(touch.caller, touch.via, touch.operation).is_none() {
                return;
            }
            let none = touch.fields.is_empty().then_some(None);
            for field in touch.fields.iter().map(Some).chain(none) {
                let key = IndexKey {
                    caller: touch.caller.clone(),
                    via: touch.via.clone(),
                    operation: touch.operation,
                    field,
                };
                let known = touch.records.iter().filter(|record| **record != Record::NOBODY);
                all.entry(key).or_default().extend(known.map(|record| record.0));
            }
        });
    })?;
    Ok(all)
}

/// What became of one person's data.
pub async fn person(
    app: &App,
    incident: &Incident,
    record: Record,
) -> Result<PersonExposure, Problem> {
    let id = incident.incident;
    let exposure = app.exposure(id).await?;
    let pages = app.store.finding::<Timestamp>(id, Kind::Pages).await?;
    let slots = if pages == Some(exposure.computed) {
        let (number, low) = place(record.0);
        let bodies = app.store.pages(id, number).await?;
        bodies.iter().flat_map(|page| page.of(low)).collect()
    } else {
        from_index(app, incident, record).await?
    };
    let filled = match incident.people {
        People::Accounts => app.customers.lock().await.people.clone(),
        People::Roster => app.roster().await?,
    };
    let mut slots = [slots, unresolved(&exposure, incident, &filled, record)].concat();
    slots.sort_by(|a: &Slot, b| {
        (a.first_ms, &a.caller, a.level).cmp(&(b.first_ms, &b.caller, b.level))
    });
    let exposed = app.exposed(id, exposure.computed).await?;
    let levels: Vec<_> = exposed
        .iter()
        .flat_map(|(level, of)| {
            fields_of(of, record.0).iter().map(move |field| (*level, field)).collect::<Vec<_>>()
        })
        .collect();
    let exists = filled.everyone.contains(record.0);
    Ok(PersonExposure { record, exists, fields: worst(&levels), events: events(slots) })
}

/// The same, while the pages are being written.
async fn from_index(app: &App, incident: &Incident, record: Record) -> Result<Vec<Slot>, Problem> {
    let fallen = Fallen::of(incident);
    if incident.people == People::Roster {
        let known = app.store.access_logs().await?;
        let logs = super::roster::readable(app, &known)?;
        return slots_of(logs, fallen, Window::new(incident.from, incident.to), record).await;
    }
    let moved = super::doubts::moved_clocks(app, incident).await;
    let window = super::window(incident, &moved?);
    let (ends, _) = copy_logs(app).await;
    let logs = Readable::all(app, &fallen, &ends).await?;
    slots_of(logs, fallen, window, record).await
}

/// Accesses that count as everybody's, as what happened to one person who has such fields.
fn unresolved(
    exposure: &Exposure,
    incident: &Incident,
    people: &Population,
    record: Record,
) -> Vec<Slot> {
    let fallen = Fallen::of(incident);
    let has = fields_of(&people.filled, record.0);
    let slot = |of: &Unresolved| {
        let fields = of.fields.intersection(has);
        let at = of.at.as_millisecond();
        let (caller, via) = (of.caller.clone(), of.via.clone());
        let level = fallen.level(&caller, &via, Operation::Release)?;
        (!fields.is_empty()).then_some(Slot {
            first_ms: at,
            last_ms: at,
            caller,
            via,
            level,
            fields,
        })
    };
    exposure.unresolved.iter().filter_map(slot).collect()
}

async fn slots_of(
    logs: Vec<Readable>,
    fallen: Fallen,
    window: Window,
    record: Record,
) -> Result<Vec<Slot>, Problem> {
    let found = cofferdam_wire::blocking(move || {
        let mut slots = Vec::new();
        for log in &logs {
            for name in log.names() {
                each(log, name, &fallen, window, &mut |slot, records| {
                    if records.contains(record.0) {
                        slots.push(slot.clone());
                    }
                })?;
            }
        }
        Ok::<_, TlogError>(slots)
    });
    let found = found.await?;
    found.map_err(|e| Problem::internal(&e))
}

fn worst(levels: &[(Level, Field)]) -> BTreeMap<Field, Level> {
    let mut fields = BTreeMap::new();
    for (level, field) in levels {
        let known: &mut Level = fields.entry(*field).or_insert(*level);
        *known = (*known).min(*level);
    }
    fields
}

/// One event an hour, caller and level, with all its fields.
fn events(slots: Vec<Slot>) -> Vec<PersonEvent> {
    let instant = |ms| Timestamp::from_millisecond(ms).unwrap_or_default();
    let mut events: Vec<PersonEvent> = Vec::new();
    for slot in slots {
        let (from, to) = (instant(slot.first_ms), instant(slot.last_ms));
        match events.last_mut() {
            Some(last)
                if last.from == from
                    && last.caller == slot.caller
                    && last.via == slot.via
                    && last.level == slot.level =>
            {
                last.fields = last.fields.union(slot.fields);
            }
            _ => events.push(PersonEvent {
                from,
                to,
                caller: slot.caller,
                via: slot.via,
                level: slot.level,
                fields: slot.fields,
            }),
        }
    }
    events
}
