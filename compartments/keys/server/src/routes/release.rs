//! `POST /v1/release`: field keys of records, written to the log before they leave.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, Domain, Epoch, FieldSet, Operation, Record, Timestamp};
use cofferdam_wire::{Answer, Body, Caller, Problem, ProblemType};
use keys_api::{
    AlarmKind, Event, KeyGroup, RecordKeys, RecordList, ReleaseKeys, ReleasedGroup, ReleasedKeys,
    WarrantId,
};

use crate::app::{App, Parties, check_count, check_records};
use crate::domain::derive::KeyRing;
use crate::domain::warrants::Refusal;
use crate::store;

/// More keys than this are derived beside the requests, not before them.
const MANY: usize = 1_024;

/// Releases keys.
pub async fn release(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<ReleaseKeys>,
) -> Result<Answer<ReleasedKeys>, Problem> {
    let ring = app.ring();
    check_form(&ring, &call)?;
    let who = Parties { via: &via, caller: &call.caller };
    app.check_parties(&who, call.domain).await?;
    let now = app.now().await;
    let withheld = withhold(&app, &call);
    let groups = without(&call.groups, &withheld);
    let count = groups.iter().map(|group| group.records.len()).sum();
    match (call.warrant, call.operation) {
        (Some(warrant), _) => draw(&app, &who, &call, &groups, warrant, now).await?,
        (None, Operation::Reseal) => app.check_reseal(&who, call.domain, now).await?,
        (None, operation) => app.check_grant(&who, call.domain, operation, all(&groups)).await?,
    }
    if call.warrant.is_none() {
        app.charge(&who, call.operation, now, count).await?;
    }
    write(&app, &ring, &call, &via, &groups, now).await?;
    metrics::counter!("cofferdam_released_records_total", "operation" => call.operation.as_str())
        .increment(count as u64);
    app.check_thawed(&who).await?;
    let groups = derive(ring, call.domain, groups).await?;
    Ok(Answer(ReleasedKeys { groups, decoys: withheld.decoys, erased: withheld.erased }, encoding))
}

fn check_form(ring: &KeyRing, call: &ReleaseKeys) -> Result<(), Problem> {
    check_count(call.count())?;
    if !call.operation.names_fields() {
        return Err(Problem::bad_request("keys are released to release, to seal or to reseal"));
    }
    let mut asked: BTreeMap<(Record, Option<Epoch>), FieldSet> = BTreeMap::new();
    for group in &call.groups {
        check_records(&group.records)?;
        for record in &group.records {
            // Else one call could fill the log with what costs nothing.
            let fields = asked.entry((*record, group.epoch)).or_default();
            if !fields.intersection(group.fields).is_empty() {
                return Err(Problem::bad_request("a key is asked for twice"));
            }
            *fields = fields.union(group.fields);
        }
        if group.fields.is_empty() || group.fields.iter().any(|f| f.domain() != call.domain) {
            return Err(Problem::bad_request(format!("name fields of {}", call.domain)));
        }
        let epoch = epoch_of(ring, call.domain, group);
        if !epoch.is_some_and(|epoch| ring.has(call.domain, epoch)) {
            let what =
                epoch.map_or_else(|| "no key here".to_owned(), |e| format!("no epoch {}", e.0));
            return Err(Problem::bad_request(format!("{} has {what}", call.domain)));
        }
    }
    Ok(())
}

fn epoch_of(ring: &KeyRing, domain: Domain, group: &KeyGroup) -> Option<Epoch> {
    group.epoch.or_else(|| ring.current(domain))
}

fn all(groups: &[KeyGroup]) -> FieldSet {
    groups.iter().fold(FieldSet::EMPTY, |all, group| all.union(group.fields))
}

/// Records whose keys don't leave.
struct Withheld {
    decoys: Vec<Record>,
    erased: Vec<Record>,
}

/// Erased records never; under a warrant, decoys: nobody is to write to them.
fn withhold(app: &App, call: &ReleaseKeys) -> Withheld {
    let erased = app.erased(call.domain);
    let (mut gone, mut decoys) = (BTreeSet::new(), BTreeSet::new());
    for record in call.groups.iter().flat_map(|group| &group.records) {
        if erased.contains(record.0) {
            gone.insert(*record);
        } else if call.warrant.is_some() && app.decoys.is_decoy(call.domain, *record) {
            decoys.insert(*record);
        }
    }
    Withheld { decoys: decoys.into_iter().collect(), erased: gone.into_iter().collect() }
}

fn without(groups: &[KeyGroup], withheld: &Withheld) -> Vec<KeyGroup> {
    let leaves = |record: &Record| {
        withheld.erased.binary_search(record).is_err()
            && withheld.decoys.binary_search(record).is_err()
    };
    let kept = |group: &KeyGroup| KeyGroup {
        records: group.records.iter().copied().filter(leaves).collect(),
        ..*group
    };
    groups.iter().map(kept).collect()
}

/// Draws on a warrant.
async fn draw(
    app: &App,
    who: &Parties<'_>,
    call: &ReleaseKeys,
    groups: &[KeyGroup],
    warrant: WarrantId,
    now: Timestamp,
) -> Result<(), Problem> {
    if call.operation != Operation::Release {
        return Err(Problem::bad_request("a warrant is for reading"));
    }
    let checked = app.warrants().check(warrant, who.caller, call.domain, all(groups), now);
    let drawn = match checked {
        Ok(limit) => {
            let records: Vec<_> = groups.iter().flat_map(|g| g.records.iter().copied()).collect();
            let drawn = store::draw(&app.db, warrant, limit.into(), &records).await;
            if drawn? { Ok(()) } else { Err(Refusal::Records) }
        }
        Err(refusal) => Err(refusal),
    };
    let Err(refusal) = drawn else { return Ok(()) };
    let detail = format!("{}: {refusal}", who.caller);
    app.alarms.ring(now, AlarmKind::RefusedWarrant, Some(who.caller), detail.clone()).await;
    Err(Problem::new(ProblemType::WARRANT_REFUSED, detail))
}

/// Writes what will leave, before it leaves.
async fn write(
    app: &App,
    ring: &KeyRing,
    call: &ReleaseKeys,
    via: &CallerName,
    groups: &[KeyGroup],
    now: Timestamp,
) -> Result<(), Problem> {
    let event = |group: &KeyGroup| {
        Some(Event::Released {
            caller: call.caller.clone(),
            via: via.clone(),
            domain: call.domain,
            operation: call.operation,
            fields: group.fields,
            epoch: epoch_of(ring, call.domain, group)?,
            records: RecordList::new(group.records.clone()),
            warrant: call.warrant,
        })
    };
    let events: Vec<_> =
        groups.iter().filter(|g| !g.records.is_empty()).filter_map(event).collect();
    if events.is_empty() { Ok(()) } else { app.write(now, events).await }
}

async fn derive(
    ring: Arc<KeyRing>,
    domain: Domain,
    groups: Vec<KeyGroup>,
) -> Result<Vec<ReleasedGroup>, Problem> {
    let keys: usize = groups.iter().map(|group| group.records.len() * group.fields.len()).sum();
    let work = move || groups.iter().filter_map(|group| keys_of(&ring, domain, group)).collect();
    if keys <= MANY {
        return Ok(work());
    }
    Ok(cofferdam_wire::blocking(work).await?)
}

fn keys_of(ring: &KeyRing, domain: Domain, group: &KeyGroup) -> Option<ReleasedGroup> {
    let epoch = epoch_of(ring, domain, group)?;
    let keys_of = |record: &Record| {
        let keys = ring.field_keys(domain, epoch, *record, group.fields)?;
        Some(RecordKeys { record: *record, keys })
    };
    Some(ReleasedGroup { epoch, records: group.records.iter().filter_map(keys_of).collect() })
}
