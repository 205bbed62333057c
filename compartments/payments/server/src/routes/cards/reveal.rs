//! `POST /v1/cards/reveal`: a full card, for the forwarder to the payment processor.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{Field, FieldSet};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use payments_api::{FullCard, RevealCard};

use crate::app::App;
use crate::reading::read;

const IN_FULL: FieldSet = FieldSet::EMPTY.with(Field::CardNumber).with(Field::CardExpiry);

/// Reads the number and the expiry. `keys` decides who may: without its keys, this server can't
/// read the number.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<RevealCard>,
) -> Result<Answer<FullCard>, Problem> {
    let (card, keys) = read(&app, &caller, &call.token, IN_FULL).await?;
    let full = FullCard {
        number: keys.open(Field::CardNumber, &card.number)?,
        expiry: keys.open(Field::CardExpiry, &card.expiry)?,
    };
    Ok(Answer(full, encoding))
}
