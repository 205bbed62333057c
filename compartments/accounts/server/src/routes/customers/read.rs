//! `POST /v1/customers/read`: reads chosen fields; each is a release in the log of `keys`.

use std::sync::Arc;

use accounts_api::{CustomerFields, ReadCustomers};
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::{App, bad_request};
use crate::domain::batch::check_records;
use crate::domain::profile::check_fields;
use crate::reading::read;

/// Reads fields of customers.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ReadCustomers>,
) -> Result<Answer<Vec<CustomerFields>>, Problem> {
    check_records(&call.records).map_err(|e| bad_request(&e))?;
    check_fields(call.fields).map_err(|e| bad_request(&e))?;
    let opened = read(&app, &caller, &call.records, call.fields, None).await?;
    Ok(Answer(opened.customers, encoding))
}
