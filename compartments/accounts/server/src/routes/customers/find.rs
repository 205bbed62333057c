//! `POST /v1/customers/find`: finds a customer by e-mail address.

use std::sync::Arc;

use accounts_api::FindCustomer;
use axum::extract::State;
use cofferdam_core::Record;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;
use crate::domain::address;

/// Finds the record of an address.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<FindCustomer>,
) -> Result<Answer<Option<Record>>, Problem> {
    let index = app.vault.index_one(&caller, address::digest(&call.email)).await?;
    Ok(Answer(app.store.find(index.expose()).await?, encoding))
}
