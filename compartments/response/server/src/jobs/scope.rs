//! Computing an exposure: the log's copy is read once, the customers' coarse attributes once.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cofferdam_core::{CallerName, Domain, Field, FieldSet, Timestamp};
use cofferdam_store::tlog::Segments;
use cofferdam_wire::{Problem, ProblemKind};
use keys_api::{Entry, ListCallers};
use payments_api::CountCards;
use response_api::{Exposure, Incident, Level, LevelCounts, LogProof, Untouched};
use roaring::RoaringBitmap;

use super::{coarse_page, copy_logs};
use crate::app::App;
use crate::domain::scope::{Bitmaps, Scope, people, reachable, readable};
use crate::log_copy::CopyEnd;

/// Computes the exposure of an incident from the release log, and keeps it.
pub async fn scope(app: &App, incident: &Incident) -> Result<Exposure, Problem> {
    let (ends, troubles) = copy_logs(app).await?;
    let mut found = read_logs(app, incident, &ends).await?;
    let until = incident.to.unwrap_or_else(|| app.now().max(found.last));
    let behind = |e| format!("the copy of the release log is behind: {e}");
    found.doubts.extend(troubles.into_iter().map(behind));

    let granted = granted(app, incident, &mut found).await?;
    let exposed =
        people(&found.read, Domain::Accounts) | people(&found.presented, Domain::Accounts);
    let customers = Customers::count(app, granted.accounts, &exposed).await?;
    let reachable = reachable(granted.accounts, &customers.filled, &found.read, &found.presented);
    let untouched = untouched(app, &found, &granted, customers.total).await?;
    let exposure = Exposure {
        incident: incident.incident,
        computed: app.now(),
        until,
        people: count_people(&found.read, &found.presented, &reachable),
        fields: count_fields(&found.read, &found.presented, &reachable),
        jurisdictions: customers.jurisdictions,
        languages: customers.languages,
        customers: customers.total,
        untouched,
        logs: ends.into_iter().map(proof).collect(),
        doubts: found.doubts,
    };
    let bitmaps = [
        (Level::Read, &found.read),
        (Level::Presented, &found.presented),
        (Level::Reachable, &reachable),
    ];
    app.store.set_exposure(&exposure, bitmaps).await.map_err(|e| Problem::internal(&e))?;
    Ok(exposure)
}

fn proof(end: CopyEnd) -> LogProof {
    LogProof { size: end.size, root: STANDARD.encode(end.root.0), checkpoint: end.note }
}

/// What the log says of the fallen hosts.
struct Found {
    read: Bitmaps,
    presented: Bitmaps,
    doubts: Vec<String>,
    last: Timestamp,
    seen: BTreeSet<CallerName>,
    fronted: BTreeSet<Domain>,
}

/// Entries read at once.
const PAGE: u64 = 10_000;

/// Reads the verified part of every copy on a thread of its own: it may be gigabytes.
async fn read_logs(app: &App, incident: &Incident, ends: &[CopyEnd]) -> Result<Found, Problem> {
    let mut logs = Vec::with_capacity(ends.len());
    for (log, end) in app.logs.iter().zip(ends) {
        logs.push((log.copy.lock().await.segments(), end.size));
    }
    let incident = incident.clone();
    let read = tokio::task::spawn_blocking(move || {
        let mut scope = Scope::new(&incident.fallen, incident.from, incident.to);
        for (segments, size) in &logs {
            read_log(segments, *size, &mut scope)?;
        }
        let Scope { read, presented, doubts, last, seen, fronted, .. } = scope;
        Ok(Found { read, presented, doubts, last, seen, fronted })
    });
    let failed = |e: String| {
        tracing::error!(cause = e, "the copied log could not be read");
        Problem::new(ProblemKind::Internal, "the copy of the release log could not be read")
    };
    read.await.map_err(|e| failed(e.to_string()))?.map_err(failed)
}

fn read_log(segments: &Segments, size: u64, scope: &mut Scope<'_>) -> Result<(), String> {
    let mut next = 0;
    while next < size {
        let page = segments.read(next, size, PAGE).map_err(|e| e.to_string())?;
        if page.is_empty() {
            return Err(format!("it ends at {next}, and had {size} entries"));
        }
        next += page.len() as u64;
        for entry in page {
            scope.take(&Entry::decode(&entry).map_err(|e| e.to_string())?);
        }
    }
    Ok(())
}

/// What the fallen callers may read, in each compartment.
struct Granted {
    accounts: FieldSet,
    payments: FieldSet,
}

/// A fallen compartment reaches every field of its domain; a name that neither `keys` nor the log
/// knows is a doubt, since it may be misspelt.
async fn granted(app: &App, incident: &Incident, found: &mut Found) -> Result<Granted, Problem> {
    let callers = app.keys.call(&ListCallers {}).await?;
    let fallen = callers.iter().filter(|status| incident.fallen.contains(&status.caller));
    let mut granted = Granted { accounts: FieldSet::EMPTY, payments: FieldSet::EMPTY };
    for status in fallen {
        granted.accounts = granted.accounts.union(readable(&status.grants, Domain::Accounts));
        granted.payments = granted.payments.union(readable(&status.grants, Domain::Payments));
    }
    for domain in &found.fronted {
        let all = Field::ALL.iter().copied().filter(|field| field.domain() == *domain).collect();
        match domain {
            Domain::Accounts => granted.accounts = all,
            Domain::Payments => granted.payments = all,
            // No roster is kept here yet that a fallen host could have read.
            Domain::Response => {}
        }
    }
    let known = |name: &CallerName| {
        found.seen.contains(name) || callers.iter().any(|status| status.caller == *name)
    };
    let strangers = incident.fallen.iter().filter(|name| !known(name));
    let doubts = strangers
        .map(|name| format!("{name} is known neither to keys nor to its log: is the name right?"));
    found.doubts.extend(doubts.collect::<Vec<_>>());
    Ok(granted)
}

/// What the coarse attributes of all customers say.
#[derive(Default)]
struct Customers {
    total: u64,
    /// Who has which of the granted fields.
    filled: Bitmaps,
    jurisdictions: BTreeMap<String, u64>,
    languages: BTreeMap<String, u64>,
}

impl Customers {
    async fn count(app: &App, granted: FieldSet, exposed: &RoaringBitmap) -> Result<Self, Problem> {
        let mut all = Self::default();
        let mut from = 0;
        while let Some((rows, next)) = coarse_page(app, from).await? {
            from = next;
            all.total += rows.len() as u64;
            for row in rows {
                for field in row.filled.intersection(granted).iter() {
                    all.filled.entry(field).or_default().insert(row.record.0);
                }
                if exposed.contains(row.record.0) {
                    *all.jurisdictions.entry(jurisdiction(&row.coarse)).or_default() += 1;
                    *all.languages.entry(row.coarse.language.to_string()).or_default() += 1;
                }
            }
        }
        Ok(all)
    }
}

/// `US-KY`, `DE`, or `unknown`.
fn jurisdiction(coarse: &accounts_api::Coarse) -> String {
    match (&coarse.country, &coarse.region) {
        (Some(country), Some(region)) => format!("{country}-{region}"),
        (Some(country), None) => country.to_string(),
        (None, _) => "unknown".to_owned(),
    }
}

/// The compartments that gave the fallen hosts nothing.
async fn untouched(
    app: &App,
    found: &Found,
    granted: &Granted,
    customers: u64,
) -> Result<Vec<Untouched>, Problem> {
    let cards = app.payments.call(&CountCards {}).await?;
    let holds = [
        (Domain::Accounts, customers, granted.accounts),
        (Domain::Payments, cards, granted.payments),
    ];
    let given = |domain| (people(&found.read, domain) | people(&found.presented, domain)).len();
    Ok(holds
        .into_iter()
        .filter(|(domain, ..)| given(*domain) == 0)
        .map(|(domain, records, fields)| Untouched {
            domain,
            records,
            released: 0,
            granted: !fields.is_empty(),
        })
        .collect())
}

/// Each person once, at the worst level.
fn count_people(read: &Bitmaps, presented: &Bitmaps, reachable: &Bitmaps) -> LevelCounts {
    let read = people(read, Domain::Accounts);
    let presented = people(presented, Domain::Accounts) - &read;
    let reachable = people(reachable, Domain::Accounts) - &read - &presented;
    LevelCounts { read: read.len(), presented: presented.len(), reachable: reachable.len() }
}

/// Field by field, each person once, at the worst level.
fn count_fields(
    read: &Bitmaps,
    presented: &Bitmaps,
    reachable: &Bitmaps,
) -> BTreeMap<Field, LevelCounts> {
    let count = |of: &Bitmaps, field| of.get(field).map_or(0, RoaringBitmap::len);
    let both = |field| match (read.get(field), presented.get(field)) {
        (Some(read), Some(presented)) => read.intersection_len(presented),
        _ => 0,
    };
    Field::ALL
        .iter()
        .filter(|field| field.domain() != Domain::Response)
        .map(|field| {
            let counts = LevelCounts {
                read: count(read, field),
                presented: count(presented, field) - both(field),
                reachable: count(reachable, field),
            };
            (*field, counts)
        })
        .filter(|(_, counts)| *counts != LevelCounts::default())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_read_and_presented_counts_once() {
        let set = |records: &[u32]| records.iter().copied().collect::<RoaringBitmap>();
        let read = Bitmaps::from([(Field::Email, set(&[1, 2, 3]))]);
        let presented =
            Bitmaps::from([(Field::Email, set(&[3, 4])), (Field::Password, set(&[3, 4]))]);
        let reachable = Bitmaps::from([(Field::Email, set(&[5]))]);
        let counts = |read, presented, reachable| LevelCounts { read, presented, reachable };
        assert_eq!(
            count_fields(&read, &presented, &reachable),
            BTreeMap::from([(Field::Email, counts(3, 1, 1)), (Field::Password, counts(0, 2, 0))])
        );
        assert_eq!(count_people(&read, &presented, &reachable), counts(3, 1, 1));
    }
}
