//! The evidence about the people of the brought table: the access logs that were brought.

use std::sync::Arc;

use cofferdam_tlog::TlogError;
use cofferdam_wire::{Problem, blocking};
use response_api::{AccessLog, DoubtCause, Incident, TABLE_EMPTY, Unresolved};
use response_exposure::{
    AccessEntry, Evidence, FallenHosts, Findings, Grants, LogKind, Population, Source, Sources,
    Window, access_log_window, doubts_of_access_logs, read_log, unknown_hosts,
};
use roaring::RoaringBitmap;

use super::{Gathered, until};
use crate::acts::access_logs::log_directory;
use crate::app::App;
use crate::logs::FileLog;

/// The most unresolved accesses in an exposure.
const MAX_UNRESOLVED: usize = 1_000;

/// Gathers the evidence from the brought table and the access logs.
pub async fn gather(
    app: &Arc<App>,
    incident: &Incident,
    from_log: bool,
) -> Result<Gathered, Problem> {
    let hosts = FallenHosts::of(incident);
    let window = access_log_window(incident);
    let mut population = app.brought().await?;
    if population.everyone.is_empty() {
        return Err(Problem::new(TABLE_EMPTY, "no table of customers was brought"));
    }
    let access_logs = app.store.access_logs().await?;
    let until = until(incident, app.now());
    let read = read_all(app, &access_logs, &hosts, window, from_log).await?;
    let (mut findings, unresolved, logs) = read;
    let unknown = population.unknown(findings.fields());
    if !unknown.is_empty() {
        Arc::make_mut(&mut population).assume(unknown);
    }
    findings.doubts.extend(doubts_of_access_logs(&access_logs, &hosts, incident.from, until));
    let outdated = app.store.outdated_access_logs().await?;
    let outdated = access_logs.iter().filter(|of| outdated.contains(&of.log));
    let changed =
        |of: &AccessLog| DoubtCause::TableChanged { name: of.name.clone(), log: of.log.clone() };
    findings.doubts.extend(outdated.map(changed));
    let unfinished = app.store.unfinished_access_logs().await?.into_iter();
    let doubt = |(log, name)| DoubtCause::AccessLogUnfinished { name, log };
    findings.doubts.extend(unfinished.map(doubt));
    if is_unfinished(app, &population).await? {
        findings.doubts.push(DoubtCause::TableUnfinished);
    }
    let not_taken = app.store.rows_not_taken().await?.into_iter();
    let doubt = |(source, rows)| DoubtCause::RowsNotTaken { source, rows };
    findings.doubts.extend(not_taken.map(doubt));
    let strangers = unknown_hosts(&hosts, |name| findings.seen.contains(name));
    findings.doubts.extend(strangers);
    let grants = Grants::whole_table(&population.filled);
    let evidence = Evidence {
        incident: incident.incident,
        hosts,
        population,
        cards: 0,
        grants,
        findings,
        sessions_held: RoaringBitmap::new(),
        undeliverable: app.store.undeliverable().await?,
        sources: Sources { logs: Vec::new(), access_logs, unresolved },
        computed: app.now(),
        until,
    };
    let logs = logs.into_iter().map(|log| (log, window)).collect();
    Ok(Gathered { evidence, logs })
}

/// Opens the finished access logs for reading.
pub fn open_logs(app: &App, logs: &[AccessLog]) -> Result<Vec<FileLog>, TlogError> {
    logs.iter().map(|log| FileLog::open(LogKind::Access, &log_directory(app, &log.log))).collect()
}

/// Reads the logs on a thread of its own.
async fn read_all(
    app: &App,
    access_logs: &[AccessLog],
    hosts: &FallenHosts,
    window: Window,
    from_log: bool,
) -> Result<(Findings, Vec<Unresolved>, Vec<FileLog>), Problem> {
    let source = if from_log { Source::IndexAndEntries } else { Source::Index };
    let logs = open_logs(app, access_logs)?;
    let names: Vec<_> = access_logs.iter().map(|log| log.name.clone()).collect();
    let hosts = hosts.clone();
    let read = blocking(move || {
        let (mut all, mut unresolved) = (Findings::default(), Vec::new());
        for (name, log) in names.iter().zip(&logs) {
            let mut findings = read_log(log, &hosts, window, source)?;
            unresolved.extend(findings.unresolved.drain(..).map(|entry| shown(name, entry)));
            all.merge(findings);
        }
        Ok::<_, TlogError>((all, unresolved, logs))
    });
    let (mut findings, mut unresolved, logs) = read.await??;
    unresolved.sort_by_key(|access| (access.at, access.line));
    unresolved.truncate(MAX_UNRESOLVED);
    if findings.unresolved_count > 0 {
        let accesses = findings.unresolved_count;
        findings.doubts.push(DoubtCause::Unresolved { accesses });
    }
    Ok((findings, unresolved, logs))
}

fn shown(log: &str, entry: AccessEntry) -> Unresolved {
    Unresolved {
        log: log.to_owned(),
        line: entry.line,
        at: entry.at(),
        caller: entry.caller,
        via: entry.via,
        fields: entry.fields,
        why: entry.everybody.unwrap_or_default(),
    }
}

/// Whether an import of the table is open, or people were imported since it was finished last.
async fn is_unfinished(app: &App, population: &Population) -> Result<bool, Problem> {
    let stored = u64::from(app.store.next_brought_record().await?);
    let is_open = !app.store.unfinished_imports().await?.is_empty();
    Ok(stored != population.everyone.len() || is_open)
}
