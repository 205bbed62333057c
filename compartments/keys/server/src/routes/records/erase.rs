//! `POST /v1/records/erase`: the keys of records never leave again.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{FieldSet, Operation};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{EraseRecords, Event, RecordList};

use crate::app::{App, Parties, bad_request};
use crate::domain::batch::{check_count, check_records};
use crate::store;

/// Erases records. They are closed before the log has the entry: if the process dies between the
/// two, the records stay closed, and the caller asks again.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(via): Caller,
    Body(call, encoding): Body<EraseRecords>,
) -> Result<Answer<()>, Problem> {
    check_count(call.records.len()).map_err(|e| bad_request(&e))?;
    check_records(&call.records).map_err(|e| bad_request(&e))?;
    let who = Parties { via: &via, caller: &call.caller };
    app.check_parties(&who, call.domain).await?;
    app.check_grant(&who, call.domain, Operation::Erase, FieldSet::EMPTY).await?;
    let now = app.now().await;
    app.charge(&who, Operation::Erase, now, call.records.len()).await?;

    let EraseRecords { domain, caller, records, held } = call;
    let numbers = records.iter().map(|record| record.0).collect();
    if !held && !app.shared.erased(domain).is_superset(&numbers) {
        return Err(Problem::not_found("no such record was given out"));
    }
    store::erase_records(&app.db, domain, &numbers).await?;
    app.apply_change().await?;
    let records = RecordList::new(records);
    app.write(now, vec![Event::Erased { caller, via, domain, records }]).await?;
    Ok(Answer((), encoding))
}
