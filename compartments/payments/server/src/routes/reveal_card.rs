//! `POST /v1/cards/reveal`: a card in full, for the forwarder to the processor.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{Field, FieldSet};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use payments_api::{FullCard, RevealCard};

use crate::app::App;

/// Reveals a card. Whether the caller may is decided by `keys`, which logs and rings.
pub async fn reveal(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<RevealCard>,
) -> Result<Answer<FullCard>, Problem> {
    app.check_frozen(&caller)?;
    let card = super::find(&app, &call.token).await?;
    let fields = FieldSet::EMPTY.with(Field::CardNumber).with(Field::CardExpiry);
    let [number_key, expiry_key] =
        app.release_one(&caller, fields, card.epoch, card.record).await?;
    let full = FullCard {
        record: card.record,
        number: card
            .open(Field::CardNumber, &number_key, &card.number)
            .map_err(|e| Problem::internal(&e))?,
        expiry: card
            .open(Field::CardExpiry, &expiry_key, &card.expiry)
            .map_err(|e| Problem::internal(&e))?,
    };
    Ok(Answer(full, encoding))
}
