//! `POST /v1/cards/store`: cards come in, tokens go out.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{Field, FieldSet, Operation, SealedAs};
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::RecordKeys;
use payments_api::{CardDetails, StoreCards, StoredCard};

use crate::app::App;
use crate::domain::{BadCard, CardNumber, Expiry, TokenHash, fresh_token};
use crate::store::CardRow;

const MAX_CARDS: usize = 1_000;

/// Stores cards, all or none.
pub async fn store(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<StoreCards>,
) -> Result<Answer<Vec<StoredCard>>, Problem> {
    app.check_frozen(&caller)?;
    let cards = parse(&app, &call.cards)?;
    let count = u32::try_from(cards.len()).unwrap_or(u32::MAX);
    let records = app.take_records(count)?;
    let fields =
        FieldSet::EMPTY.with(Field::CardNumber).with(Field::CardExpiry).with(Field::CardMasked);
    let released = app.release(&caller, Operation::Seal, fields, None, records).await?;
    let (mut rows, mut answers) = (Vec::with_capacity(cards.len()), Vec::new());
    for ((number, expiry), RecordKeys { record, keys }) in cards.into_iter().zip(released.records) {
        let [number_key, expiry_key, masked_key] = keys.as_slice() else { continue };
        let place = |field| SealedAs { record, field, epoch: released.epoch };
        let token = fresh_token(&*app.rng).map_err(|e| Problem::internal(&e))?;
        rows.push(CardRow {
            record,
            token: TokenHash::of(&token),
            brand: number.brand(),
            epoch: released.epoch,
            number: place(Field::CardNumber).seal(number_key, number.digits(), &*app.rng),
            expiry: place(Field::CardExpiry).seal(expiry_key, &expiry.to_personal(), &*app.rng),
            last4: place(Field::CardMasked).seal(masked_key, &number.last4(), &*app.rng),
        });
        answers.push(StoredCard { token, brand: number.brand(), last4: number.last4() });
    }
    app.store.insert(&rows).await.map_err(|e| Problem::internal(&e))?;
    Ok(Answer(answers, encoding))
}

fn parse(app: &App, cards: &[CardDetails]) -> Result<Vec<(CardNumber, Expiry)>, Problem> {
    if !(1..=MAX_CARDS).contains(&cards.len()) {
        return Err(Problem::bad_request(format!("a call stores 1 to {MAX_CARDS} cards")));
    }
    let now = app.clock.now();
    let parse = |card: &CardDetails| {
        let number = CardNumber::parse(&card.number)?;
        Ok((number, Expiry::parse(card.expiry_month, card.expiry_year, now)?))
    };
    (1..)
        .zip(cards)
        .map(|(place, card)| {
            parse(card).map_err(|e: BadCard| {
                Problem::bad_request(format!("card {place} of {}: {e}", cards.len()))
            })
        })
        .collect()
}
