//! `POST /v1/release`: field keys of records, written to the log before they leave.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{Domain, Operation, Record, Timestamp};
use cofferdam_wire::{Answer, Body, Caller, Problem, ProblemKind};
use keys_api::{AlarmKind, Event, RecordKeys, RecordList, ReleaseKeys, ReleasedKeys, WarrantId};

use super::app::{App, Parties, check_count};
use crate::domain::derive::KeyRing;

/// Releases keys.
pub async fn release(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<ReleaseKeys>,
) -> Result<Answer<ReleasedKeys>, Problem> {
    check_form(&app, &call)?;
    let who = Parties { via: &via, caller: &call.caller };
    app.check_parties(&who, call.domain).await?;
    let now = app.clock.now();
    let (records, decoys) = if let Some(warrant) = call.warrant {
        draw(&app, &who, &call, warrant, now).await?
    } else {
        app.check_grant(&who, call.domain, call.operation, call.fields).await?;
        app.charge(&who, call.operation, now, call.records.len()).await?;
        (call.records.clone(), Vec::new())
    };
    let epoch = call.epoch.unwrap_or(KeyRing::CURRENT);
    if !records.is_empty() {
        let event = Event::Released {
            caller: call.caller.clone(),
            via: via.clone(),
            domain: call.domain,
            operation: call.operation,
            fields: call.fields,
            epoch,
            records: RecordList::new(records.clone()),
            warrant: call.warrant,
        };
        app.write(now, event).await?;
    }
    if call.domain == Domain::Accounts && call.operation == Operation::Release {
        app.watch_decoys(&who, &records, "opened").await;
    }
    let keys_of = |record| {
        let keys = app.ring.field_keys(call.domain, epoch, record, call.fields)?;
        Some(RecordKeys { record, keys })
    };
    let records = records.into_iter().filter_map(keys_of).collect();
    Ok(Answer(ReleasedKeys { epoch, records, decoys }, encoding))
}

fn check_form(app: &App, call: &ReleaseKeys) -> Result<(), Problem> {
    check_count(call.records.len())?;
    if !call.records.is_sorted_by(|a, b| a < b) {
        return Err(Problem::bad_request("records must be ascending, none twice"));
    }
    if !matches!(call.operation, Operation::Release | Operation::Seal) {
        return Err(Problem::bad_request("keys are released to release or to seal"));
    }
    if call.fields.is_empty() || call.fields.iter().any(|f| f.domain() != call.domain) {
        return Err(Problem::bad_request(format!("name fields of {}", call.domain)));
    }
    let epoch = call.epoch.unwrap_or(KeyRing::CURRENT);
    if !app.ring.has(call.domain, epoch) {
        return Err(Problem::bad_request(format!("{} has no epoch {}", call.domain, epoch.0)));
    }
    Ok(())
}

/// Draws on a warrant: decoys are left out and named, since nobody is to write to them.
async fn draw(
    app: &App,
    who: &Parties<'_>,
    call: &ReleaseKeys,
    warrant: WarrantId,
    now: Timestamp,
) -> Result<(Vec<Record>, Vec<Record>), Problem> {
    if call.operation != Operation::Release {
        return Err(Problem::bad_request("a warrant is for reading"));
    }
    let (decoys, records): (Vec<_>, Vec<_>) =
        call.records.iter().partition(|record| app.decoys.is_decoy(call.domain, **record));
    let drawn = app.warrants().draw(warrant, who.caller, call.domain, call.fields, now, &records);
    if let Err(refusal) = drawn {
        let detail = format!("{}: {refusal}", who.caller);
        app.alarms.ring(AlarmKind::RefusedWarrant, Some(who.caller), detail.clone()).await;
        return Err(Problem::new(ProblemKind::WarrantRefused, detail));
    }
    Ok((records, decoys))
}
