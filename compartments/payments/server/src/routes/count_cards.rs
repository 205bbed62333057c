//! `POST /v1/cards/count`: how many cards are held.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use payments_api::CountCards;

use crate::app::App;

/// Counts the cards.
pub async fn count(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(_, encoding): Body<CountCards>,
) -> Result<Answer<u64>, Problem> {
    app.check_controller(&by)?;
    let count = app.store.count().await.map_err(|e| Problem::internal(&e))?;
    Ok(Answer(count, encoding))
}
