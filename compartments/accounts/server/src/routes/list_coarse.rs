//! `POST /v1/customers/coarse`: what is kept in clear, page by page.

use std::sync::Arc;

use accounts_api::{CoarseRow, ListCoarse};
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;

const MAX_PAGE: u32 = 10_000;

/// Lists coarse attributes.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ListCoarse>,
) -> Result<Answer<Vec<CoarseRow>>, Problem> {
    app.check_controller(&caller)?;
    if !(1..=MAX_PAGE).contains(&call.limit) {
        return Err(Problem::bad_request(format!("a page has 1 to {MAX_PAGE} customers")));
    }
    let rows = app.store.coarse(call.from, call.limit).await;
    Ok(Answer(rows?, encoding))
}
