//! `POST /v1/customers/list`: all customers by their coarse attributes, page by page.

use std::sync::Arc;

use accounts_api::{CoarseRow, ListCustomers};
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;

/// The most customers in a page.
const MAX_PAGE: u32 = 10_000;

/// Lists a page of customers.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ListCustomers>,
) -> Result<Answer<Vec<CoarseRow>>, Problem> {
    app.check_controller(&caller)?;
    if !(1..=MAX_PAGE).contains(&call.limit) {
        return Err(Problem::bad_request(format!("a page has 1 to {MAX_PAGE} customers")));
    }
    Ok(Answer(app.store.coarse(call.from, call.limit).await?, encoding))
}
