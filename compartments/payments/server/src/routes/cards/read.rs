//! `POST /v1/cards/read`: the facts about a card that may be shown.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{Field, FieldSet};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use payments_api::{MaskedCard, ReadCard};

use crate::app::App;
use crate::reading::read;

const SHOWN: FieldSet = FieldSet::EMPTY.with(Field::CardMasked).with(Field::CardExpiry);

/// Reads the last digits and the expiry.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ReadCard>,
) -> Result<Answer<MaskedCard>, Problem> {
    let (card, keys) = read(&app, &caller, &call.token, SHOWN).await?;
    let shown = MaskedCard {
        brand: card.brand,
        last4: keys.open(Field::CardMasked, &card.masked)?,
        expiry: keys.open(Field::CardExpiry, &card.expiry)?,
    };
    Ok(Answer(shown, encoding))
}
