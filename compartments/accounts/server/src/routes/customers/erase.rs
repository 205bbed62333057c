//! `POST /v1/customers/erase`: a customer is deleted, and closed in backups too.

use std::sync::Arc;

use accounts_api::EraseCustomer;
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;

/// Erases a customer. The keys go first, so that an interrupted erasure only has to be asked for
/// again. `keys` decides whether the caller may, and refuses a number that was never given out.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<EraseCustomer>,
) -> Result<Answer<()>, Problem> {
    let record = app.customer_numbers.record(call.record);
    let held = app.store.holds(record).await?;
    app.vault.erase(&caller, record, held).await?;
    app.store.erase_customer(record, app.now()).await?;
    Ok(Answer((), encoding))
}
