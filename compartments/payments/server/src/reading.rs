//! Reading a card: the only place where a token becomes a card and its keys.

use cofferdam_core::{CallerName, FieldSet, Record};
use cofferdam_wire::Problem;
use keys_client::{Allowed, Asked, FieldKeys, SealedRecord};
use payments_api::CardToken;

use crate::app::App;
use crate::domain::token_hash;
use crate::store::SealedCard;

/// The card of a token, and the keys of some of its fields.
///
/// For an unknown token, `keys` is asked for nobody's card: so the grant and the budget apply, and
/// the log tells that the caller learnt that there is no such card. A caller without a grant does
/// not learn that.
pub async fn read(
    app: &App,
    caller: &CallerName,
    token: &CardToken,
    fields: FieldSet,
) -> Result<(SealedCard, FieldKeys), Problem> {
    let found = app.store.find_card(&token_hash(token)).await?;
    let Some(card) = found else {
        app.vault
            .keys_to_read(caller, [Asked::Missing(Record::NOBODY, fields)], Allowed::ByGrant)
            .await?;
        return Err(Problem::not_found("no card has this token"));
    };
    let sealed = SealedRecord { record: card.record, epoch: card.epoch, fields };
    let asked = Asked::Stored(sealed, FieldSet::EMPTY);
    let keys =
        app.vault.keys_to_read(caller, [asked], Allowed::ByGrant).await?.take(card.record)?;
    Ok((card, keys))
}
