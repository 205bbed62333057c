//! Access logs of other systems. They are imported page by page, their people looked up in the
//! brought table, then sorted and indexed like a release log.

mod runs;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_core::{Access, CallerName, Personal, Record, Whose};
use cofferdam_tlog::TlogError;
use cofferdam_wire::{Problem, blocking};
use response_api::{
    AccessLog, AccessLogState, BeginAccessLog, FinishAccessLog, ImportAccessLog, IncidentId,
    JournalAct, LogStatements, MAX_PAGE, PAGE_OUT_OF_TURN, Span,
};
use response_exposure::{AccessEntry, NameForms, Named};

use crate::app::App;
use crate::brought_contacts::BroughtContacts;
use crate::staff::Author;
use crate::store::{KnownPerson, StoredAccessLog};

/// The longest name and format of an access log, in bytes.
const MAX_NAME: usize = 200;
const MAX_FORMAT: usize = 50;
/// The most actors of a log that are kept.
const MAX_ACTORS: usize = 1_000;
/// The most lines with people who are not in the table that are kept.
const MAX_LINES: usize = 100;

/// The directory of a finished access log.
pub fn log_directory(app: &App, log: &str) -> PathBuf {
    directory(app, log).join(runs::LOG)
}

/// The directory of an access log and of its pages.
fn directory(app: &App, log: &str) -> PathBuf {
    app.config.log_copy.join("access-logs").join(log)
}

/// Begins to bring a log. For a log that was begun before, returns its progress.
pub async fn begin(
    app: &App,
    call: &BeginAccessLog,
    by: &Author,
) -> Result<AccessLogState, Problem> {
    let is_digest = call.log.len() == 64 && call.log.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_digest {
        return Err(Problem::bad_request("log: a SHA-256 in 64 hexadecimal digits"));
    }
    if call.name.is_empty() || call.name.len() > MAX_NAME || call.format.len() > MAX_FORMAT {
        let what = format!("name takes 1 to {MAX_NAME} bytes, and format up to {MAX_FORMAT}");
        return Err(Problem::bad_request(what));
    }
    let detail = format!("{}, SHA-256 {}", call.name, call.log);
    let act = app.act(IncidentId::NONE, by, JournalAct::BeginAccessLog, detail);
    let log = app.store.begin_access_log(call, &act).await?;
    let pages = runs::count_pages(&directory(app, &call.log));
    Ok(AccessLogState { pages, finished: log.finished.is_some() })
}

/// Imports a page of a log.
pub async fn import(app: &App, call: ImportAccessLog) -> Result<(), Problem> {
    let log = known_log(app, &call.log).await?;
    if log.finished.is_some() {
        return Err(Problem::new(PAGE_OUT_OF_TURN, "this access log is finished"));
    }
    if call.accesses.len() > MAX_PAGE {
        return Err(Problem::bad_request(format!("a page takes up to {MAX_PAGE} accesses")));
    }
    let dir = directory(app, &call.log);
    if !runs::is_next(&dir, call.page) {
        let what = format!("page {} is not the next one", call.page);
        return Err(Problem::new(PAGE_OUT_OF_TURN, what));
    }
    let names = Names::look_up(app, &call.accesses).await?;
    let contacts = &app.people.brought_contacts;
    let mut entries: Vec<_> = call
        .accesses
        .iter()
        .flat_map(|access| AccessEntry::of(access, |whose| names.find(contacts, whose)))
        .collect();
    let written = blocking(move || {
        entries.sort_by_key(|entry| entry.at_ms);
        runs::write_page(&dir, call.page, entries.iter().map(AccessEntry::encode))
    });
    Ok(written.await??)
}

/// The people whom a page names and the brought table has.
struct Names {
    by_key: BTreeMap<String, KnownPerson>,
    by_email: BTreeMap<Vec<u8>, Vec<u32>>,
    forms: NameForms,
    /// Whether every address of the table is hashed under our key, so that none is missed.
    finds_addresses: bool,
}

impl Names {
    async fn look_up(app: &App, accesses: &[Access]) -> Result<Self, Problem> {
        let contacts = &app.people.brought_contacts;
        let (mut keys, mut emails) = (Vec::new(), Vec::new());
        for access in accesses {
            match &access.whose {
                Whose::Keys(some) => keys.extend(some.iter().map(Personal::expose)),
                Whose::Emails(some) => {
                    emails.extend(some.iter().map(|email| contacts.hash_address(email)));
                }
                Whose::Everybody { .. } => {}
            }
        }
        keys.sort_unstable();
        keys.dedup();
        emails.sort_unstable();
        emails.dedup();
        Ok(Self {
            by_key: app.store.people_by_key(&keys).await?,
            by_email: app.store.records_by_email(&emails).await?,
            forms: app.store.name_forms().await?,
            finds_addresses: app.store.address_keys().await? == [contacts.address_key()].into(),
        })
    }

    /// Finds the named people. An access without any name is one of a person who is not listed.
    fn find(&self, contacts: &BroughtContacts, whose: &Whose) -> Named {
        let mut named = Named::default();
        match whose {
            Whose::Keys(keys) => {
                for key in keys {
                    let known = self.by_key.get(key.expose());
                    let record = known.map(|known| std::slice::from_ref(&known.record));
                    let excluded = self.forms.excludes_key(key.expose());
                    add_name(&mut named, record, excluded);
                }
                named.unknown += u32::from(keys.is_empty());
            }
            Whose::Emails(emails) => {
                for email in emails {
                    let records = self.by_email.get(&contacts.hash_address(email));
                    let excluded =
                        self.finds_addresses && self.forms.excludes_email(email.expose());
                    add_name(&mut named, records.map(Vec::as_slice), excluded);
                }
                named.unknown += u32::from(emails.is_empty());
            }
            Whose::Everybody { .. } => {}
        }
        named.records.sort_unstable();
        named.records.dedup();
        named
    }
}

/// Adds what the table has for one name. `excluded` tells whether a name that it does not have is
/// certainly another person's.
fn add_name(named: &mut Named, records: Option<&[u32]>, excluded: bool) {
    match records {
        Some(records) => named.records.extend(records.iter().copied().map(Record)),
        None if excluded => named.unknown += 1,
        None => named.doubtful += 1,
    }
}

/// Sorts and indexes a log. A finished log is not sorted again; it takes the coverage that staff
/// give now.
pub async fn finish(
    app: &Arc<App>,
    call: FinishAccessLog,
    by: &Author,
) -> Result<AccessLog, Problem> {
    let StoredAccessLog { name, format, finished } = known_log(app, &call.log).await?;
    if call.covers.to < call.covers.from {
        return Err(Problem::bad_request("covers: its end lies before its beginning"));
    }
    if let Some(log) = finished {
        return cover_anew(app, log, &call, by).await;
    }
    let dir = directory(app, &call.log);
    let merged = blocking(move || {
        let mut totals = Totals::default();
        runs::merge_pages(&dir, &mut |entry| totals.add(entry))?;
        Ok::<_, TlogError>(totals)
    });
    let totals = merged.await??;
    let log = AccessLog {
        log: call.log,
        name,
        format,
        covers: call.covers,
        accesses: totals.accesses,
        everybody: totals.everybody,
        unknown: totals.unknown,
        unknown_lines: totals.unknown_lines,
        unreadable: call.unreadable,
        actors: largest(totals.actors),
        source: call.source,
        stated: call.stated,
        catalogue: call.catalogue,
        reads: call.reads,
    };
    let detail =
        format!("{}, SHA-256 {}: {} accesses{}", log.name, log.log, log.accesses, statements(&log));
    let act = app.act(IncidentId::NONE, by, JournalAct::FinishAccessLog, detail);
    app.store.finish_access_log(&log, &act).await?;
    let dir = directory(app, &log.log);
    if let Ok(Err(e)) = blocking(move || runs::remove_pages(&dir)).await {
        tracing::warn!(cause = %e, "the pages of a finished access log could not be removed");
    }
    Ok(log)
}

/// Takes another coverage of a finished log, and journals it. Lines that could not be read once stay
/// counted.
async fn cover_anew(
    app: &App,
    before: AccessLog,
    call: &FinishAccessLog,
    by: &Author,
) -> Result<AccessLog, Problem> {
    let unreadable = before.unreadable.max(call.unreadable);
    let log = AccessLog {
        covers: call.covers,
        unreadable,
        source: call.source.clone(),
        stated: call.stated,
        catalogue: call.catalogue,
        reads: call.reads.clone(),
        ..before.clone()
    };
    if log == before {
        return Ok(log);
    }
    let Span { from, to } = log.covers;
    let said = statements(&log);
    let detail = format!("{}, SHA-256 {}: it covers {from} to {to}{said}", log.name, log.log);
    let act = app.act(IncidentId::NONE, by, JournalAct::FinishAccessLog, detail);
    app.store.finish_access_log(&log, &act).await?;
    Ok(log)
}

/// The statements of staff about a log, for the journal. The log itself proves none of them.
fn statements(log: &AccessLog) -> String {
    let LogStatements { covers, joined, shipped, unchanged, reads_logged } = log.stated;
    let Span { from, to } = log.covers;
    let hosts: Vec<_> =
        log.source.iter().flat_map(|of| &of.covers).map(CallerName::as_str).collect();
    let statements = [
        (covers, format!("complete from {from} to {to}")),
        (joined, "nothing is missing before the next file".to_owned()),
        (shipped, "shipped off its host as it grew".to_owned()),
        (
            unchanged,
            "its definitions are those of the catalogue, but for those that it shows".to_owned(),
        ),
        (reads_logged, "every read was logged".to_owned()),
        (!hosts.is_empty(), format!("it tells everything about {}", hosts.join(", "))),
    ];
    let stated = statements.iter().filter(|of| of.0);
    stated.map(|of| format!("; by the word of staff: {}", of.1)).collect::<Vec<_>>().concat()
}

/// The actors with most accesses. The log of a public server names millions.
fn largest(actors: BTreeMap<CallerName, u64>) -> BTreeMap<CallerName, u64> {
    let mut actors: Vec<_> = actors.into_iter().collect();
    actors.sort_by_key(|(_, accesses)| Reverse(*accesses));
    actors.into_iter().take(MAX_ACTORS).collect()
}

/// The counts of a log.
#[derive(Default)]
struct Totals {
    accesses: u64,
    everybody: u64,
    unknown: u64,
    unknown_lines: Vec<u64>,
    actors: BTreeMap<CallerName, u64>,
}

impl Totals {
    /// Adds an entry; `false` if it can't be decoded.
    fn add(&mut self, entry: &[u8]) -> bool {
        let Ok(entry) = AccessEntry::decode(entry) else { return false };
        self.accesses += 1;
        self.everybody += u64::from(entry.everybody.is_some());
        self.unknown += u64::from(entry.unknown);
        if entry.unknown > 0 && self.unknown_lines.len() < MAX_LINES {
            self.unknown_lines.push(entry.line);
        }
        for actor in [entry.caller, entry.via] {
            *self.actors.entry(actor).or_default() += 1;
        }
        true
    }
}

/// Removes a log with its files.
pub async fn remove(app: &App, log: &str, by: &Author) -> Result<(), Problem> {
    let known = known_log(app, log).await?;
    let detail = format!("{}, SHA-256 {log}", known.name);
    let act = app.act(IncidentId::NONE, by, JournalAct::RemoveAccessLog, detail);
    app.store.remove_access_log(log, &act).await?;
    match tokio::fs::remove_dir_all(directory(app, log)).await {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Problem::internal(&e)),
        _ => Ok(()),
    }
}

async fn known_log(app: &App, log: &str) -> Result<StoredAccessLog, Problem> {
    let found = app.store.access_log(log).await?;
    found.ok_or_else(|| Problem::not_found("no such access log was begun"))
}
