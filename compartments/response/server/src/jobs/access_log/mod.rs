//! Access logs of other systems: brought page by page, looked up on the roster, put in order, and
//! indexed as a release log is.

mod runs;

pub use runs::LOG;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_core::{Access, CallerName, Personal, Record, Whose};
use cofferdam_tlog::TlogError;
use cofferdam_wire::Problem;
use response_api::{
    AccessLog, AccessLogState, BeginAccessLog, FinishAccessLog, ImportAccesses, MAX_PAGE,
};

use crate::app::App;
use crate::domain::access::AccessEntry;
use crate::staff::Author;

/// Where an access log stands.
pub fn directory(app: &App, log: &str) -> PathBuf {
    app.config.log_copy.join("access-logs").join(log)
}

/// Begins to bring a log, or says how far it is.
pub async fn begin(
    app: &App,
    call: &BeginAccessLog,
    by: &Author,
) -> Result<AccessLogState, Problem> {
    let digest = call.log.len() == 64 && call.log.bytes().all(|b| b.is_ascii_hexdigit());
    if !digest || call.name.is_empty() || call.name.len() > 200 || call.format.len() > 50 {
        return Err(Problem::bad_request("log is a SHA-256 in hexadecimal, and has a name"));
    }
    let finished = app.store.begin_access_log(call, app.now(), by).await;
    let finished = finished?;
    Ok(AccessLogState { pages: runs::count(&directory(app, &call.log)), finished })
}

/// Takes a page of a log.
pub async fn import(app: &App, call: ImportAccesses) -> Result<(), Problem> {
    let dir = known(app, &call.log, false).await?.1;
    if call.accesses.len() > MAX_PAGE {
        return Err(Problem::bad_request(format!("bring up to {MAX_PAGE} accesses")));
    }
    if !runs::is_next(&dir, call.page) {
        return Err(Problem::bad_request(format!("page {} does not come next", call.page)));
    }
    let names = look_up(app, &call.accesses).await?;
    let mut entries: Vec<_> = call
        .accesses
        .iter()
        .flat_map(|access| AccessEntry::of(access, |whose| names.find(app, whose)))
        .collect();
    let written = cofferdam_wire::blocking(move || {
        entries.sort_by_key(|entry| entry.at_ms);
        runs::write(&dir, call.page, entries.iter().map(AccessEntry::encode))
    });
    written.await?.map_err(|e| Problem::internal(&e))
}

/// The people that a page names.
struct Named {
    keys: BTreeMap<String, u32>,
    emails: BTreeMap<Vec<u8>, Vec<u32>>,
}

async fn look_up(app: &App, accesses: &[Access]) -> Result<Named, Problem> {
    let (mut keys, mut emails) = (Vec::new(), Vec::new());
    for access in accesses {
        match &access.whose {
            Whose::Keys(some) => keys.extend(some.iter().map(Personal::expose)),
            Whose::Emails(some) => emails.extend(some.iter().map(|of| app.lookup.index(of))),
            Whose::Everybody { .. } => {}
        }
    }
    keys.sort_unstable();
    keys.dedup();
    emails.sort_unstable();
    emails.dedup();
    Ok(Named {
        keys: app.store.roster_keys(&keys).await?,
        emails: app.store.roster_emails(&emails).await?,
    })
}

impl Named {
    /// Everybody who is named, and how many names nobody has; an access that names nobody has one.
    fn find(&self, app: &App, whose: &Whose) -> (Vec<Record>, u32) {
        let mut records: Vec<Record> = Vec::new();
        let mut unknown = 0;
        let names = match whose {
            Whose::Keys(keys) => {
                for key in keys {
                    match self.keys.get(key.expose()) {
                        Some(record) => records.push(Record(*record)),
                        None => unknown += 1,
                    }
                }
                keys.len()
            }
            Whose::Emails(emails) => {
                for email in emails {
                    match self.emails.get(&app.lookup.index(email)) {
                        Some(some) => records.extend(some.iter().copied().map(Record)),
                        None => unknown += 1,
                    }
                }
                emails.len()
            }
            Whose::Everybody { .. } => 1,
        };
        records.sort_unstable();
        records.dedup();
        (records, if names == 0 { 1 } else { unknown })
    }
}

/// Puts a log in order and makes its index. Done again, it gives what is there.
pub async fn finish(app: &Arc<App>, call: FinishAccessLog) -> Result<AccessLog, Problem> {
    let ((name, format, body), dir) = known(app, &call.log, true).await?;
    if let Some(body) = body {
        return serde_json::from_str(&body).map_err(|e| Problem::internal(&e));
    }
    if call.covers.to < call.covers.from {
        return Err(Problem::bad_request("what the log covers ends before it begins"));
    }
    let merged = cofferdam_wire::blocking(move || {
        let mut log = Counting::default();
        runs::merge(&dir, &mut |entry| log.take(entry))?;
        Ok::<_, TlogError>(log)
    });
    let counted = merged.await?;
    let counted = counted?;
    let log = AccessLog {
        log: call.log,
        name,
        format,
        covers: call.covers,
        accesses: counted.accesses,
        everybody: counted.everybody,
        unknown: counted.unknown,
        unreadable: call.unreadable,
        actors: counted.actors,
    };
    app.store.finish_access_log(&log).await?;
    let dir = directory(app, &log.log);
    let _ = cofferdam_wire::blocking(move || runs::clear(&dir)).await;
    Ok(log)
}

/// What stands in a log.
#[derive(Default)]
struct Counting {
    accesses: u64,
    everybody: u64,
    unknown: u64,
    actors: BTreeMap<CallerName, u64>,
}

impl Counting {
    fn take(&mut self, entry: &[u8]) -> bool {
        let Ok(entry) = AccessEntry::decode(entry) else { return false };
        self.accesses += 1;
        self.everybody += u64::from(entry.everybody.is_some());
        self.unknown += u64::from(entry.unknown);
        for actor in [entry.caller, entry.via] {
            *self.actors.entry(actor).or_default() += 1;
        }
        true
    }
}

/// Takes a log away.
pub async fn remove(app: &App, log: &str) -> Result<(), Problem> {
    let (_, dir) = known(app, log, true).await?;
    app.store.remove_access_log(log).await?;
    match tokio::fs::remove_dir_all(&dir).await {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Problem::internal(&e)),
        _ => Ok(()),
    }
}

type Stored = (String, String, Option<String>);

async fn known(app: &App, log: &str, whole_too: bool) -> Result<(Stored, PathBuf), Problem> {
    let found = app.store.access_log(log).await?;
    let found = found.ok_or_else(|| Problem::not_found("no such access log was begun"))?;
    if found.2.is_some() && !whole_too {
        return Err(Problem::bad_request("this access log is whole already"));
    }
    Ok((found, directory(app, log)))
}
