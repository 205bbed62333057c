//! `POST /v1/cards/store`: stores cards, and returns their tokens.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::{CallerName, Field, Record};
use cofferdam_wire::{Answer, Body, Caller, Problem, ProblemType};
use keys_api::RECORDS_SEALED;
use keys_client::{FieldKeys, Released, VaultError};
use payments_api::{CardToken, StoreCards, StoredCard};

use crate::app::App;
use crate::domain::{Card, SEALED, check_cards, new_token, token_hash};
use crate::store::{NewCard, SealedCard};

/// Stores the cards of a call, all or none.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<StoreCards>,
) -> Result<Answer<Vec<StoredCard>>, Problem> {
    let cards = check_cards(&call.cards, app.clock.now())
        .map_err(|e| Problem::bad_request(e.to_string()))?;
    Ok(Answer(store(&app, &caller, cards).await?, encoding))
}

/// A card with its number and its token.
struct Numbered {
    record: Record,
    token: CardToken,
    card: Card,
}

/// The refusals of `keys`. It has most likely sealed nothing then.
const REFUSALS: [ProblemType; 3] =
    [ProblemType::NOT_GRANTED, ProblemType::FROZEN, ProblemType::BUDGET_EXHAUSTED];

async fn store(
    app: &App,
    caller: &CallerName,
    cards: Vec<Card>,
) -> Result<Vec<StoredCard>, Problem> {
    app.vault.check_halves(app.store.db()).await?;
    let (numbers, keys) = number_and_keys(app, caller, cards.len()).await?;
    let number = |(record, card)| Numbered { record, token: new_token(&*app.rng), card };
    let cards: Vec<_> = numbers.into_iter().zip(cards).map(number).collect();
    let sealed = cards.iter().map(|of| seal(app, of, keys.of(of.record)?));
    let sealed = sealed.collect::<Result<Vec<_>, VaultError>>()?;
    app.store.insert_cards(&sealed).await?;
    let stored = |Numbered { token, card, .. }: Numbered| StoredCard {
        token,
        brand: card.number.brand(),
        last4: card.number.last4(),
    };
    Ok(cards.into_iter().map(stored).collect())
}

/// Takes `count` new numbers, and the keys to seal them. A number of an earlier call may have been sealed
/// although `keys` refused that call: a freeze that comes while `keys` answers does so. Then this call
/// takes numbers that no call had.
async fn number_and_keys(
    app: &App,
    caller: &CallerName,
    count: usize,
) -> Result<(Vec<Record>, Released), Problem> {
    let numbers = app.numbers.take(app.store.db(), count).await?;
    match keys_to_seal(app, caller, &numbers).await {
        Ok(keys) => Ok((numbers, keys)),
        Err(e) if e.is(RECORDS_SEALED) => {
            app.numbers.forget_spare();
            let numbers = app.numbers.take(app.store.db(), count).await?;
            let keys = keys_to_seal(app, caller, &numbers).await?;
            Ok((numbers, keys))
        }
        Err(e) => Err(e.into()),
    }
}

async fn keys_to_seal(
    app: &App,
    caller: &CallerName,
    numbers: &[Record],
) -> Result<Released, VaultError> {
    let fields = numbers.iter().map(|record| (*record, SEALED));
    let keys = app.vault.keys_to_seal(caller, fields).await;
    keys.inspect_err(|e| match e {
        e if REFUSALS.into_iter().any(|of| e.is(of)) => {
            app.numbers.give_back(numbers.iter().copied());
        }
        VaultError::Call(_) if !e.is(RECORDS_SEALED) => {
            app.numbers.doubt(numbers.iter().copied());
        }
        // An answer that does not fit is one all the same: the numbers are sealed.
        _ => {}
    })
}

fn seal(app: &App, numbered: &Numbered, keys: &FieldKeys) -> Result<NewCard, VaultError> {
    let Numbered { record, token, card } = numbered;
    let rng = app.rng.as_ref();
    Ok(NewCard {
        token_hash: token_hash(token),
        card: SealedCard {
            record: *record,
            brand: card.number.brand(),
            epoch: keys.epoch(),
            number: keys.seal(Field::CardNumber, card.number.digits(), rng)?,
            expiry: keys.seal(Field::CardExpiry, &card.expiry.text(), rng)?,
            masked: keys.seal(Field::CardMasked, &card.number.last4(), rng)?,
        },
    })
}
