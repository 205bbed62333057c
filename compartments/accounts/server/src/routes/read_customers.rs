//! `POST /v1/customers/read`: reads chosen fields; each is a release in the log of `keys`.

use std::sync::Arc;

use accounts_api::{CustomerFields, ReadCustomers};
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;
use crate::domain::profile::SEALED;
use crate::opening;

/// Reads fields of customers.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ReadCustomers>,
) -> Result<Answer<Vec<CustomerFields>>, Problem> {
    opening::check_records(&call.records)?;
    if call.fields.is_empty() || !call.fields.is_subset(SEALED.into_iter().collect()) {
        let names: Vec<_> = SEALED.iter().map(|f| f.as_str()).collect();
        return Err(Problem::bad_request(format!("name fields among {}", names.join(", "))));
    }
    let opened = opening::open(&app, &caller, &call.records, call.fields, None).await?;
    Ok(Answer(opened.customers, encoding))
}
