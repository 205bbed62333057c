//! The evidence about the customers of `accounts`: the copies of the release logs, and the answers
//! of the other compartments.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accounts_api::{Activity, ReadActivity};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{CallerName, Timestamp};
use cofferdam_store::StoreError;
use cofferdam_tlog::TlogError;
use cofferdam_wire::{Problem, blocking};
use jiff::SignedDuration;
use keys_api::{AlarmKind, ListCallers, ReadPolicy};
use payments_api::CountCards;
use response_api::{DoubtCause, Exposure, HostKind, Incident, LogProof, Sightings};
use response_exposure::{
    Evidence, FallenHosts, Findings, Grants, Population, Source, Sources, Window, doubts_of_copies,
    doubts_of_sightings, doubts_of_sizes, most_entries, read_log, release_log_window,
};
use roaring::RoaringBitmap;

use super::{Gathered, until};
use crate::app::App;
use crate::logs::{CopyError, FileLog, FollowedLog};
use crate::loops::{copy_logs, current_customers};
use crate::store::Finding;

/// The largest distance from the window at which an alarm about the clock of `keys` still counts.
const CLOCK_ALARMS_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// Gathers the evidence from logs, `keys`, `accounts` and `payments`.
pub async fn gather(
    app: &Arc<App>,
    incident: &Incident,
    from_log: bool,
) -> Result<Gathered, Problem> {
    let hosts = FallenHosts::of(incident);
    let (ends, copies) = copy_logs(app).await;
    let (windows, clock_moved) = release_log_windows(app, incident).await?;
    let opened = FileLog::of_copies(&app.logs, &hosts, &ends).await?;
    let logs: Vec<_> = opened.into_iter().zip(windows.iter().map(|of| of.window)).collect();
    let (mut findings, logs) = read_all(logs, hosts.clone(), from_log).await?;
    // No entry was written after this instant, whatever the clock of keys says.
    let until = until(incident, app.now());
    findings.doubts.extend(doubts_of_copies(&copies, &clock_moved, incident.to));
    for (followed, of) in app.logs.followed.iter().zip(&windows) {
        findings.doubts.extend(doubts_of_sightings(&followed.origin, incident, &of.sightings));
    }
    let rested_on = rested_on(app, incident).await?;
    findings.doubts.extend(doubts_of_sizes(&copies, &rested_on));
    findings.doubts.extend(app.logs.rewritten().into_iter().map(DoubtCause::from));

    let population = population(app, &mut findings).await;
    let cards = count_cards(app, &mut findings).await;
    let grants = grants(app, &hosts, &mut findings).await;
    let sessions_held = sessions(app, &hosts, &mut findings, (incident.from, until)).await;
    let evidence = Evidence {
        incident: incident.incident,
        hosts,
        population,
        cards,
        grants,
        findings,
        sessions_held,
        undeliverable: app.store.undeliverable().await?,
        sources: Sources { logs: proofs(app, &windows).await?, ..Sources::default() },
        computed: app.now(),
        until,
    };
    Ok(Gathered { evidence, logs })
}

/// The most entries of each log that an exposure of the incident rested on. The last exposure may be
/// older than the record of these sizes.
async fn rested_on(app: &App, incident: &Incident) -> Result<BTreeMap<String, u64>, StoreError> {
    let id = incident.incident;
    let sizes = app.store.finding(id, Finding::LogSizes).await?.unwrap_or_default();
    let last = app.store.finding::<Exposure>(id, Finding::Exposure).await?;
    Ok(last.iter().fold(sizes, most_entries))
}

/// The window of an incident in one release log.
pub struct LogWindow {
    /// The window, with the numbers of the entries in it.
    pub window: Window,
    /// The sightings that decide about it.
    pub sightings: Sightings,
}

/// The window of an incident in each release log, and the instants of the alarms about a moved
/// clock of `keys` around it, as far as a window rests on that clock.
pub async fn release_log_windows(
    app: &App,
    incident: &Incident,
) -> Result<(Vec<LogWindow>, Vec<Timestamp>), StoreError> {
    let from = incident.from.saturating_sub(CLOCK_ALARMS_WITHIN).unwrap_or(incident.from);
    let to = incident.to.map(|to| to.saturating_add(CLOCK_ALARMS_WITHIN).unwrap_or(to));
    let alarms = app.store.alarms(0, from).await?;
    let moved: Vec<_> = alarms
        .into_iter()
        .filter(|alarm| alarm.kind == AlarmKind::ClockJump.as_str())
        .filter(|alarm| to.is_none_or(|to| alarm.first <= to))
        .map(|alarm| alarm.last)
        .collect();
    let mut windows = Vec::with_capacity(app.logs.followed.len());
    for log in &app.logs.followed {
        if let Some(seen) = log.sighting.lock().await.seen {
            app.store.add_sighting(&log.origin, &seen).await?;
        }
        let plain = Window::new(incident.from, incident.to);
        let sightings = app.store.sightings(&log.origin, plain).await?;
        let window = release_log_window(incident, &sightings, !moved.is_empty());
        windows.push(LogWindow { window, sightings });
    }
    let rests_on_keys = windows.iter().any(|of| of.window.rests_on_own_instants());
    Ok((windows, if rests_on_keys { moved } else { Vec::new() }))
}

/// Reads the logs on threads of their own, because logs may have gigabytes.
async fn read_all(
    logs: Vec<(FileLog, Window)>,
    hosts: FallenHosts,
    from_log: bool,
) -> Result<(Findings, Vec<(FileLog, Window)>), Problem> {
    let source = if from_log { Source::IndexAndEntries } else { Source::Index };
    let read = blocking(move || {
        let mut all = Findings::default();
        for (log, window) in &logs {
            all.merge(read_log(log, &hosts, *window, source)?);
        }
        Ok::<_, TlogError>((all, logs))
    });
    Ok(read.await??)
}

async fn population(app: &App, findings: &mut Findings) -> Arc<Population> {
    match current_customers(app).await {
        Ok(customers) => customers,
        Err(e) => {
            findings.doubts.push(DoubtCause::CustomersOutdated { reason: e.to_string() });
            app.people.customers.lock().await.population.clone()
        }
    }
}

async fn count_cards(app: &App, findings: &mut Findings) -> u64 {
    app.compartments.payments.call(&CountCards {}).await.unwrap_or_else(|e| {
        findings.doubts.push(DoubtCause::CardsUnknown { reason: e.to_string() });
        0
    })
}

async fn grants(app: &App, hosts: &FallenHosts, findings: &mut Findings) -> Grants {
    let callers = app.compartments.keys.call(&ListCallers {}).await;
    let callers = callers.as_deref().map_err(ToString::to_string);
    Grants::in_estate(hosts, findings, &app.name, callers)
}

/// Adds the sessions that passed through fallen hosts, and the letters that passed through a fallen
/// relay. Returns the customers whose other sessions may have been shown there.
async fn sessions(
    app: &App,
    hosts: &FallenHosts,
    findings: &mut Findings,
    window: (Timestamp, Timestamp),
) -> RoaringBitmap {
    let apps: Vec<CallerName> = hosts.apps().cloned().collect();
    let (everywhere, relay) = (hosts.any(HostKind::Accounts), hosts.any(HostKind::Relay));
    if apps.is_empty() && !everywhere && !relay {
        return RoaringBitmap::new();
    }
    let others =
        if everywhere { Ok(RoaringBitmap::new()) } else { shared(app, &apps, window).await };
    let callers = if everywhere { None } else { Some(apps) };
    let unknown = |reason| DoubtCause::SessionsUnknown { reason };
    let Seen { opened, held, mailed } = seen(app, callers, window).await.unwrap_or_else(|reason| {
        findings.doubts.push(unknown(reason));
        Seen::default()
    });
    let others = others.unwrap_or_else(|reason| {
        findings.doubts.push(unknown(reason));
        RoaringBitmap::new()
    });
    findings.add_sessions(opened);
    if relay {
        let (from, to) = window;
        let letters = app.store.handed_over(from, to).await.unwrap_or_else(|e| {
            findings.doubts.push(DoubtCause::LettersUnknown { reason: e.to_string() });
            RoaringBitmap::new()
        });
        findings.add_relayed(&letters, &mailed);
    }
    held | others
}

/// Sets of customers, by what fallen hosts saw of them.
#[derive(Default)]
struct Seen {
    /// Customers who opened a session there.
    opened: RoaringBitmap,
    /// Customers with any other session that may have been shown there.
    held: RoaringBitmap,
    /// Customers who were mailed a code.
    mailed: RoaringBitmap,
}

impl Seen {
    fn of(Activity { opened, held, mailed }: &Activity) -> Result<Self, String> {
        let read = |bytes: &Vec<u8>| {
            RoaringBitmap::deserialize_from(bytes.as_slice()).map_err(|e| e.to_string())
        };
        Ok(Self { opened: read(opened)?, held: read(held)?, mailed: read(mailed)? })
    }
}

/// Asks `accounts` what was seen at some callers, or at all of them for `None`.
async fn seen(
    app: &App,
    callers: Option<Vec<CallerName>>,
    (from, to): (Timestamp, Timestamp),
) -> Result<Seen, String> {
    let asked = app.compartments.accounts.call(&ReadActivity { callers, from, to }).await;
    asked.map_err(|e| e.to_string()).and_then(|activity| Seen::of(&activity))
}

/// The customers with a live session at another caller of the groups of `apps`. The callers of a group
/// share its sessions, so it may have been shown at these as well.
async fn shared(
    app: &App,
    apps: &[CallerName],
    window: (Timestamp, Timestamp),
) -> Result<RoaringBitmap, String> {
    let others = others_of_groups(app, apps).await?;
    if others.is_empty() {
        return Ok(RoaringBitmap::new());
    }
    let seen = seen(app, Some(others), window).await?;
    Ok(seen.opened | seen.held)
}

/// The callers that share sessions with some callers, by the policy in force, without these.
async fn others_of_groups(app: &App, callers: &[CallerName]) -> Result<Vec<CallerName>, String> {
    if callers.is_empty() {
        return Ok(Vec::new());
    }
    let policy = app.compartments.keys.call(&ReadPolicy {}).await.map_err(|e| e.to_string())?;
    let groups: BTreeSet<_> = callers.iter().map(|caller| policy.group(caller)).collect();
    let shares = |of: &&CallerName| groups.contains(policy.group(of)) && !callers.contains(of);
    Ok(policy.callers.iter().map(|of| &of.name).filter(shares).cloned().collect())
}

async fn proofs(app: &App, windows: &[LogWindow]) -> Result<Vec<LogProof>, CopyError> {
    let mut proofs = Vec::with_capacity(app.logs.followed.len());
    for (FollowedLog { copy, .. }, window) in app.logs.followed.iter().zip(windows) {
        let copy = copy.lock().await;
        let end = copy.end();
        proofs.push(LogProof {
            size: end.size,
            root: STANDARD.encode(end.root.0),
            checkpoint: end.note,
            cosigned: copy.cosigned()?.map(|(note, _)| note),
            sightings: Some(window.sightings),
        });
    }
    Ok(proofs)
}
