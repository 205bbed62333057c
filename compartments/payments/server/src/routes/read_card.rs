//! `POST /v1/cards/read`: what may be shown of a card.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{Field, FieldSet};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use payments_api::{MaskedCard, ReadCard};

use super::card_of;
use crate::app::App;

const SHOWN: FieldSet = FieldSet::EMPTY.with(Field::CardMasked).with(Field::CardExpiry);

/// Reads last digits and expiry.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ReadCard>,
) -> Result<Answer<MaskedCard>, Problem> {
    let card = card_of(&app, &call.token).await?;
    let keys = app.keys.to_read(&caller, SHOWN, card.record, card.epoch).await?;
    let shown = MaskedCard {
        record: card.record,
        brand: card.brand,
        last4: keys.open(Field::CardMasked, &card.masked)?,
        expiry: keys.open(Field::CardExpiry, &card.expiry)?,
    };
    Ok(Answer(shown, encoding))
}
