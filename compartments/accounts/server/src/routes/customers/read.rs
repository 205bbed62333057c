//! `POST /v1/customers/read`: reads chosen fields; each is a release in the log of `keys`.

use std::sync::Arc;

use accounts_api::{CustomerFields, ReadCustomers};
use axum::extract::State;
use cofferdam_core::{CallerName, Personal, Record};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_client::Allowed;

use crate::app::{App, bad_request};
use crate::domain::batch::check_records;
use crate::domain::profile::check_fields;
use crate::reading::{OpenedCustomer, read};
use crate::session::{live_session, presence};

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
    let allowed = allowed(&app, &caller, call.session.as_ref()).await?;
    let opened = read(&app, &caller, &records, call.fields, allowed).await?;
    let named = |of: OpenedCustomer| CustomerFields {
        record: numbers.number(of.record),
        fields: of.fields,
    };
    let mut customers: Vec<_> = opened.customers.into_iter().map(named).collect();
    customers.sort_unstable_by_key(|of| of.record);
    Ok(Answer(customers, encoding))
}

/// The caller's grants, with the proof that the customer of a session is signed in.
async fn allowed(
    app: &App,
    caller: &CallerName,
    token: Option<&Personal>,
) -> Result<Allowed, Problem> {
    let Some(token) = token else { return Ok(Allowed::ByGrant) };
    let proof = presence(live_session(app, caller, token).await?, token);
    Ok(proof.map_or(Allowed::ByGrant, |proof| Allowed::WhilePresent(Box::new(proof))))
}
