//! `POST /v1/cards/read`: what may be shown of a card.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{Field, FieldSet};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use payments_api::{MaskedCard, ReadCard};

use crate::app::App;

/// Reads the last four digits and the date of expiry.
pub async fn read(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<ReadCard>,
) -> Result<Answer<MaskedCard>, Problem> {
    app.check_frozen(&caller)?;
    let card = super::find(&app, &call.token).await?;
    let fields = FieldSet::EMPTY.with(Field::CardExpiry).with(Field::CardMasked);
    let [expiry_key, masked_key] =
        app.release_one(&caller, fields, card.epoch, card.record).await?;
    let masked = MaskedCard {
        record: card.record,
        brand: card.brand,
        last4: card
            .open(Field::CardMasked, &masked_key, &card.last4)
            .map_err(|e| Problem::internal(&e))?,
        expiry: card
            .open(Field::CardExpiry, &expiry_key, &card.expiry)
            .map_err(|e| Problem::internal(&e))?,
    };
    Ok(Answer(masked, encoding))
}
