//! `POST /v1/cards/count`: the number of stored cards.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use payments_api::CountCards;

use crate::app::App;

/// Counts the stored cards.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(CountCards {}, encoding): Body<CountCards>,
) -> Result<Answer<u64>, Problem> {
    app.check_controller(&caller)?;
    Ok(Answer(app.store.count_cards().await?, encoding))
}
