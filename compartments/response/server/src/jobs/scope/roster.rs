//! The exposure of the shop's own customers, from the access logs that were brought. Where nothing
//! shows what a fallen host did, everything in its reach counts as read: a conventional estate has
//! no wall that would say otherwise.

use std::sync::Arc;

use cofferdam_core::{Domain, FieldSet, Timestamp};
use cofferdam_tlog::TlogError;
use cofferdam_wire::{Problem, ProblemType};
use response_api::{
    AccessLog, Doubt, Exposure, GivenUp, HostKind, Incident, Level, Span, Unresolved,
};

use super::read::{Readable, Source, look};
use crate::app::App;
use crate::domain::population::{Population, counts};
use crate::domain::scope::{
    Bitmaps, Fallen, Found, LogKind, Window, add, count_fields, count_people, people, reachable,
};
use crate::jobs::access_log;

/// Computes the exposure of an incident that is about the roster, and keeps it.
pub async fn scope(
    app: &Arc<App>,
    incident: &Incident,
    from_log: bool,
) -> Result<Exposure, Problem> {
    let fallen = Arc::new(Fallen::of(incident));
    let window = Window::new(incident.from, incident.to);
    let roster = app.roster().await?;
    if roster.everyone.is_empty() {
        let what = "the roster is empty; run: cofferdam import roster";
        return Err(Problem::new(ProblemType::CONFLICT, what));
    }
    let logs = app.store.access_logs().await?;
    let (mut found, unresolved) = read(app, &logs, &fallen, window, from_log).await?;
    let until = incident.to.or_else(|| logs.iter().map(|log| log.covers.to).max());
    let until = until.unwrap_or(incident.from);
    found.doubts.extend(of_logs(&logs, incident.from, incident.to));
    if u64::from(app.store.roster_end().await?) != roster.everyone.len() {
        found.doubts.push(Doubt {
            what: "the roster was not brought to its end: run cofferdam import roster again".into(),
            counts_as_read: false,
        });
    }
    strangers(&fallen, &mut found);

    let whole = roster.filled.clone();
    for (level, fields) in std::mem::take(&mut found.everybody) {
        let to = if level == Level::Read { &mut found.read } else { &mut found.presented };
        add(to, &some(&whole, fields));
    }
    let proven = people(&found.read, Domain::Accounts);
    let table = [HostKind::Accounts, HostKind::AccountsDatabase].iter().any(|k| fallen.any(*k));
    if table || found.doubts.iter().any(|doubt| doubt.counts_as_read) {
        add(&mut found.read, &whole);
    }
    let assumed = if table { 0 } else { (people(&found.read, Domain::Accounts) - proven).len() };
    let exposure = exposure(app, incident, &roster, &found, until, assumed).await?;
    let exposure_logs = logs.clone();
    let exposure = Exposure { access_logs: logs, unresolved, ..exposure };
    let within = reachable(every(&whole), &whole, &found.read, &found.presented);
    let bitmaps = [
        (Level::Read, &found.read),
        (Level::Presented, &found.presented),
        (Level::Reachable, &within),
    ];
    app.store.set_exposure(&exposure, bitmaps).await?;
    let (worker, id, computed) = (app.clone(), incident.incident, exposure.computed);
    tokio::spawn(async move {
        let logs = readable(&worker, &exposure_logs).map_err(|e| Problem::internal(&e));
        super::write_pages(&worker, id, &fallen, window, logs, computed).await;
    });
    Ok(exposure)
}

/// The access logs, ready to be read.
pub fn readable(app: &App, logs: &[AccessLog]) -> Result<Vec<Readable>, TlogError> {
    let open = |log: &AccessLog| {
        let dir = access_log::directory(app, &log.log).join(access_log::LOG);
        Readable::open(LogKind::Access, &dir)
    };
    logs.iter().map(open).collect()
}

async fn read(
    app: &Arc<App>,
    logs: &[AccessLog],
    fallen: &Arc<Fallen>,
    window: Window,
    from_log: bool,
) -> Result<(Found, Vec<Unresolved>), Problem> {
    let (app, logs, fallen) = (app.clone(), logs.to_vec(), fallen.clone());
    let work = cofferdam_wire::blocking(move || {
        let (mut all, mut unresolved, mut shown) = (Found::default(), Vec::new(), 0);
        for (log, readable) in logs.iter().zip(readable(&app, &logs)?) {
            let mut found = look(&readable, &fallen, window, Source::Index)?;
            if from_log {
                let again = look(&readable, &fallen, window, Source::Log)?;
                super::doubts::compare(&mut found, &again);
            }
            unresolved.extend(found.unresolved.0.drain(..).map(|entry| Unresolved {
                log: log.name.clone(),
                line: entry.line,
                at: entry.at(),
                caller: entry.caller,
                via: entry.via,
                fields: entry.fields,
                why: entry.everybody.unwrap_or_default(),
            }));
            shown += found.unresolved.1;
            all.merge(found);
        }
        unresolved.sort_by_key(|of| (of.at, of.line));
        unresolved.truncate(1_000);
        if shown > 0 {
            all.doubts.push(Doubt {
                what: format!(
                    "{shown} accesses of fallen hosts can't be told to be anybody's: each counts as \
                     everybody's, in the fields that it could have touched; they are listed"
                ),
                counts_as_read: false,
            });
        }
        Ok::<_, TlogError>((all, unresolved))
    });
    let read = work.await?;
    read.map_err(|e| Problem::internal(&e))
}

async fn exposure(
    app: &App,
    incident: &Incident,
    roster: &Population,
    found: &Found,
    until: Timestamp,
    assumed: u64,
) -> Result<Exposure, Problem> {
    let (read, presented) = (&found.read, &found.presented);
    let within = reachable(every(&roster.filled), &roster.filled, read, presented);
    let affected = people(read, Domain::Accounts) | people(presented, Domain::Accounts);
    let bounced = app.store.undeliverable().await?;
    let no_address = match roster.filled.get(&cofferdam_core::Field::Email) {
        Some(with) => &affected - with,
        None => affected.clone(),
    };
    Ok(Exposure {
        incident: incident.incident,
        computed: app.now(),
        until,
        people: count_people(read, presented, &within),
        assumed,
        fields: count_fields(read, presented, &within),
        jurisdictions: counts(&roster.jurisdictions, &affected),
        languages: counts(&roster.languages, &affected),
        minors: roster.minors.intersection_len(&affected),
        undeliverable: (bounced & &affected | no_address).len(),
        customers: roster.everyone.len(),
        given_up: incident.fallen.iter().map(given_up).collect(),
        untouched: Vec::new(),
        logs: Vec::new(),
        access_logs: Vec::new(),
        unresolved: Vec::new(),
        doubts: found.doubts.clone(),
    })
}

fn given_up(host: &response_api::FallenHost) -> GivenUp {
    let what = if host.kind == HostKind::App {
        "what the access logs show for it; all of the customers' tables lay within its reach"
    } else {
        "the customers' tables themselves, in clear: everybody counts as read"
    };
    GivenUp { host: host.clone(), what: what.to_owned() }
}

/// What the logs leave open.
fn of_logs(logs: &[AccessLog], from: Timestamp, to: Option<Timestamp>) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    let spans: Vec<Span> = logs.iter().map(|log| log.covers).collect();
    for gap in gaps(&spans, from, to) {
        doubts.push(Doubt {
            what: format!(
                "no access log tells what happened from {} to {}: what the fallen hosts could \
                 reach counts as read",
                gap.from, gap.to
            ),
            counts_as_read: true,
        });
    }
    for log in logs {
        let apart = log.covers.to < from || to.is_some_and(|to| log.covers.from > to);
        if log.unreadable > 0 && !apart {
            doubts.push(Doubt {
                what: format!(
                    "{} lines of {} make no sense: what the fallen hosts could reach counts as read",
                    log.unreadable, log.name
                ),
                counts_as_read: true,
            });
        }
        if log.unknown > 0 && !apart {
            doubts.push(Doubt {
                what: format!(
                    "{} names {} customers that are not on the roster, or can't be told: they are \
                     in no count",
                    log.name, log.unknown
                ),
                counts_as_read: false,
            });
        }
    }
    doubts
}

/// Where no log tells anything; an open end is as far as the logs go.
fn gaps(spans: &[Span], from: Timestamp, to: Option<Timestamp>) -> Vec<Span> {
    let last = spans.iter().map(|span| span.to).max();
    let end = to.or(last).unwrap_or(from);
    let mut spans = spans.to_vec();
    spans.sort_by_key(|span| span.from);
    let (mut at, mut gaps) = (from, Vec::new());
    for span in spans.iter().filter(|span| span.from <= end) {
        // Windows are kept to the millisecond.
        if span.from.as_millisecond() > at.as_millisecond() {
            gaps.push(Span { from: at, to: span.from });
        }
        at = at.max(span.to);
    }
    if at.as_millisecond() < end.as_millisecond() || spans.is_empty() {
        gaps.push(Span { from: at, to: end });
    }
    gaps
}

/// A name that no log knows may be misspelt.
fn strangers(fallen: &Fallen, found: &mut Found) {
    let unknown: Vec<_> = fallen.apps().filter(|name| !found.seen.contains(*name)).collect();
    for name in unknown {
        found.doubts.push(Doubt {
            what: format!("{name} appears in no access log: is the name right?"),
            counts_as_read: false,
        });
    }
}

fn every(filled: &Bitmaps) -> FieldSet {
    filled.keys().copied().collect()
}

fn some(filled: &Bitmaps, fields: FieldSet) -> Bitmaps {
    let chosen = filled.iter().filter(|(field, _)| fields.contains(**field));
    chosen.map(|(field, records)| (*field, records.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_log_covers_is_a_gap() {
        let at = |hour: i64| Timestamp::from_second(hour * 3_600).unwrap();
        let span = |from, to| Span { from: at(from), to: at(to) };
        let logs = [span(5, 8), span(1, 3), span(2, 4)];
        assert_eq!(gaps(&logs, at(2), Some(at(4))), []);
        assert_eq!(gaps(&logs, at(0), Some(at(9))), [span(0, 1), span(4, 5), span(8, 9)]);
        assert_eq!(gaps(&logs, at(6), None), []);
        assert_eq!(gaps(&[], at(6), None), [span(6, 6)]);
    }
}
