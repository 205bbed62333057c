//! `POST /v1/erase`: a record's keys never leave again.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{FieldSet, Operation};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{EraseRecords, Event, RecordList};

use crate::app::{App, Parties, check_count, check_records, erased_set};
use crate::store;

/// Erases records. Closed first and logged then: should the process die in between, nothing is
/// open that was to be closed, and the caller asks again.
pub async fn erase(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<EraseRecords>,
) -> Result<Answer<()>, Problem> {
    check_count(call.records.len())?;
    check_records(&call.records)?;
    let who = Parties { via: &via, caller: &call.caller };
    app.check_parties(&who, call.domain).await?;
    app.check_grant(&who, call.domain, Operation::Erase, FieldSet::EMPTY).await?;
    let now = app.now().await;
    app.charge(&who, Operation::Erase, now, call.records.len()).await?;

    let set = erased_set(call.domain);
    store::add_records(&app.db, &set, &call.records).await?;
    app.after_change().await?;
    let EraseRecords { domain, caller, records } = call;
    let records = RecordList::new(records);
    app.write(now, vec![Event::Erased { caller, via, domain, records }]).await?;
    Ok(Answer((), encoding))
}
