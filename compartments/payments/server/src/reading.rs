//! Reading a card: the only place where a token becomes a card and its keys.

use cofferdam_core::{CallerName, FieldSet};
use cofferdam_wire::Problem;
use keys_client::{FieldKeys, SealedRecord};
use payments_api::CardToken;

use crate::app::App;
use crate::domain::token_hash;
use crate::store::SealedCard;

/// The card of a token, and the keys of some of its fields.
///
/// An unknown token is *not found* for everybody, whatever the grants. A caller without a grant can
/// tell it from a known token, which `keys` refuses; but trying tokens means guessing 128 random
/// bits.
pub async fn read(
    app: &App,
    caller: &CallerName,
    token: &CardToken,
    fields: FieldSet,
) -> Result<(SealedCard, FieldKeys), Problem> {
    let found = app.store.find_card(&token_hash(token)).await?;
    let card = found.ok_or_else(|| Problem::not_found("no card has this token"))?;
    let wanted = SealedRecord { record: card.record, epoch: card.epoch, fields };
    let keys = app.vault.keys_to_read(caller, [wanted], None).await?.take(card.record)?;
    Ok((card, keys))
}
