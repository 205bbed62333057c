//! `POST /v1/cards/store`: cards in, tokens out.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, Field, FieldSet, Record, Timestamp};
use cofferdam_wire::{Answer, Body, Caller, Problem, ProblemType};
use payments_api::{CardDetails, CardToken, StoreCards, StoredCard};

use crate::app::App;
use crate::domain::{BadExpiry, BadNumber, CardNumber, Expiry, new_token, token_hash};
use crate::keys::CardKeys;
use crate::store::{NewCard, SealedCard};

/// The most cards in one call.
const MAX_CARDS: usize = 1_000;

const SEALED: FieldSet =
    FieldSet::EMPTY.with(Field::CardNumber).with(Field::CardExpiry).with(Field::CardMasked);

/// Stores cards: all, or none.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<StoreCards>,
) -> Result<Answer<Vec<StoredCard>>, Problem> {
    let cards = check(&call.cards, app.clock.now())?;
    let stored = store(&app, &caller, &cards).await?;
    Ok(Answer(stored, encoding))
}

/// A card that passed the rules.
struct GoodCard {
    number: CardNumber,
    expiry: Expiry,
}

/// Why a card is not taken.
#[derive(Debug, thiserror::Error)]
enum BadCard {
    #[error(transparent)]
    Number(#[from] BadNumber),
    #[error(transparent)]
    Expiry(#[from] BadExpiry),
}

fn check(cards: &[CardDetails], now: Timestamp) -> Result<Vec<GoodCard>, Problem> {
    if !(1..=MAX_CARDS).contains(&cards.len()) {
        return Err(Problem::bad_request(format!("a call brings 1 to {MAX_CARDS} cards")));
    }
    let check_one = |card: &CardDetails| -> Result<GoodCard, BadCard> {
        Ok(GoodCard {
            number: CardNumber::parse(&card.number)?,
            expiry: Expiry::parse(card.expiry_month, card.expiry_year, now)?,
        })
    };
    let checked = (1..).zip(cards).map(|(place, card)| {
        check_one(card).map_err(|e| Problem::bad_request(format!("card {place}: {e}")))
    });
    checked.collect()
}

async fn store(
    app: &App,
    caller: &CallerName,
    cards: &[GoodCard],
) -> Result<Vec<StoredCard>, Problem> {
    let mut next = app.next.lock().await;
    let after = u32::try_from(cards.len())
        .ok()
        .and_then(|count| next.checked_add(count))
        .ok_or_else(|| Problem::new(ProblemType::UNAVAILABLE, "there are no more numbers"))?;
    let records: Vec<_> = (*next..after).map(Record).collect();
    let keys = app.keys.to_seal(caller, SEALED, records.clone()).await?;
    let tokens: Vec<_> = cards.iter().map(|_| new_token(app.rng.as_ref())).collect();
    let sealed = cards.iter().zip(records).zip(keys.iter().zip(&tokens));
    let sealed = sealed
        .map(|((card, record), (keys, token))| seal(app, card, record, keys, token))
        .collect::<Result<Vec<_>, _>>()?;
    app.store.insert_cards(&sealed).await?;
    *next = after;
    let answer = cards.iter().zip(tokens).map(|(card, token)| StoredCard {
        token,
        brand: card.number.brand(),
        last4: card.number.last4(),
    });
    Ok(answer.collect())
}

fn seal(
    app: &App,
    card: &GoodCard,
    record: Record,
    keys: &CardKeys,
    token: &CardToken,
) -> Result<NewCard, Problem> {
    let rng = app.rng.as_ref();
    Ok(NewCard {
        token_hash: token_hash(token),
        card: SealedCard {
            record,
            brand: card.number.brand(),
            epoch: keys.epoch(),
            number: keys.seal(Field::CardNumber, card.number.digits(), rng)?,
            expiry: keys.seal(Field::CardExpiry, &card.expiry.text(), rng)?,
            masked: keys.seal(Field::CardMasked, &card.number.last4(), rng)?,
        },
    })
}
