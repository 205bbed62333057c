//! `POST /v1/customers/read`: reads chosen fields; each is a release in the log of `keys`.

use std::sync::Arc;

use accounts_api::{CustomerFields, ReadCustomers};
use axum::extract::State;
use cofferdam_core::Record;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::{App, bad_request};
use crate::domain::batch::check_records;
use crate::domain::profile::check_fields;
use crate::reading::{OpenedCustomer, read};

/// Reads fields of customers. The answer is in the order of the numbers: that of the records would
/// tell who signed up first.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ReadCustomers>,
) -> Result<Answer<Vec<CustomerFields>>, Problem> {
    check_records(&call.records).map_err(|e| bad_request(&e))?;
    check_fields(call.fields).map_err(|e| bad_request(&e))?;
    let numbers = &app.customer_numbers;
    let mut records: Vec<Record> = call.records.iter().map(|of| numbers.record(*of)).collect();
    records.sort_unstable();
    let opened = read(&app, &caller, &records, call.fields, None).await?;
    let named = |of: OpenedCustomer| CustomerFields {
        record: numbers.number(of.record),
        fields: of.fields,
    };
    let mut customers: Vec<_> = opened.customers.into_iter().map(named).collect();
    customers.sort_unstable_by_key(|of| of.record);
    Ok(Answer(customers, encoding))
}
