//! `POST /v1/cards/reveal`: a card in full, for the forwarder to the payment processor.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{Field, FieldSet};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use payments_api::{FullCard, RevealCard};

use super::card_of;
use crate::app::App;

const IN_FULL: FieldSet = FieldSet::EMPTY.with(Field::CardNumber).with(Field::CardExpiry);

/// Reads number and expiry. Who may is for `keys` to say: this server could not read the number
/// against its will.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<RevealCard>,
) -> Result<Answer<FullCard>, Problem> {
    let card = card_of(&app, &call.token).await?;
    let keys = app.keys.to_read(&caller, IN_FULL, card.record, card.epoch).await?;
    let full = FullCard {
        record: card.record,
        number: keys.open(Field::CardNumber, &card.number)?,
        expiry: keys.open(Field::CardExpiry, &card.expiry)?,
    };
    Ok(Answer(full, encoding))
}
