//! `POST /v1/customers/find`: finds a customer by e-mail address.

use std::sync::Arc;

use accounts_api::FindCustomer;
use axum::extract::State;
use cofferdam_core::CustomerNumber;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::Search;

use crate::app::App;
use crate::at_rest;
use crate::domain::address;

/// Finds the number of the customer with an address. The log of `keys` has the record before the answer leaves.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<FindCustomer>,
) -> Result<Answer<Option<CustomerNumber>>, Problem> {
    let (index, looked_up) = app.vault.index_one(&caller, address::digest(&call.email)).await?;
    let found = at_rest::find(&app, &index).await?;
    app.vault.note_found(&caller, looked_up, Search::Find, found).await?;
    Ok(Answer(found.map(|record| app.customer_numbers.number(record)), encoding))
}
