//! Moves cards to the current epoch: each text is opened under the key of its old epoch and sealed
//! under the new one. The loop keeps no cursor on disk. Each row has its epoch, so that a run after
//! an interruption finds the rows that are left.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_core::{CallerName, Epoch, Field, Record, Reseal, Rng};
use cofferdam_store::StoreError;
use keys_client::{ResealKeys, SealedRecord, VaultError};

use crate::app::App;
use crate::domain::SEALED;
use crate::store::SealedCard;

/// The time between two questions to `keys` about its epoch.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// The number of cards that are moved at once: `keys` counts each twice, and takes 10,000.
const PAGE: u32 = 4_000;

/// Cards that were not re-sealed, and are tried again.
#[derive(Debug, thiserror::Error)]
enum ResealError {
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Asks for a new epoch, and re-seals, for as long as it is polled. `name` is the compartment's
/// own, because it asks for itself.
pub async fn reseal(app: Arc<App>, name: CallerName) {
    loop {
        if let Err(e) = run(&app, &name).await {
            tracing::warn!(cause = %e, "cards could not be re-sealed");
            app.reseal.send_modify(|of| of.trouble = Some(e.to_string()));
        }
        app.reseal.send_modify(|of| of.running = false);
        tokio::time::sleep(ASK_EVERY).await;
    }
}

async fn run(app: &App, name: &CallerName) -> Result<(), ResealError> {
    let current = app.vault.epochs().await?.current;
    let records = u64::from(app.store.db().numbers_reserved().await?);
    let before = app.reseal.borrow().clone();
    // Progress under another epoch tells nothing about this one.
    let begun = before.epoch == Some(current);
    let (mut from, resealed) = if begun { (before.done_before, before.resealed) } else { (0, 0) };
    if !begun {
        app.vault.note_beginning(app.store.db(), current).await?;
    }
    app.reseal.send_replace(Reseal {
        epoch: Some(current),
        running: from < records,
        resealed,
        done_before: from,
        records,
        trouble: None,
    });
    while let Ok(first) = u32::try_from(from) {
        let cards = app.store.cards_before(Record(first), current, PAGE).await?;
        let Some(last) = cards.last().map(|card| card.record) else { break };
        let moved = seal_anew(app, name, current, &cards).await?;
        app.store.replace_cards(&moved).await?;
        from = u64::from(last.0) + 1;
        app.reseal.send_modify(|of| {
            of.resealed += moved.len() as u64;
            of.done_before = from;
        });
    }
    app.reseal.send_modify(|of| of.done_before = records);
    Ok(())
}

/// Seals cards anew; each comes with its old epoch. Cards that were erased have no keys, and stay
/// unchanged.
async fn seal_anew(
    app: &App,
    name: &CallerName,
    current: Epoch,
    cards: &[SealedCard],
) -> Result<Vec<(Epoch, SealedCard)>, VaultError> {
    let sealed =
        |card: &SealedCard| SealedRecord { record: card.record, epoch: card.epoch, fields: SEALED };
    let sealed: Vec<_> = cards.iter().map(sealed).collect();
    let keys = app.vault.keys_to_reseal(name, &sealed, current).await?;
    let with_keys = cards.iter().filter_map(|card| Some((card, keys.get(card.record)?)));
    with_keys.map(|(card, keys)| Ok((card.epoch, seal_card(card, keys, &*app.rng)?))).collect()
}

fn seal_card(
    card: &SealedCard,
    keys: &ResealKeys,
    rng: &dyn Rng,
) -> Result<SealedCard, VaultError> {
    Ok(SealedCard {
        epoch: keys.epoch(),
        number: keys.reseal(Field::CardNumber, &card.number, rng)?,
        expiry: keys.reseal(Field::CardExpiry, &card.expiry, rng)?,
        masked: keys.reseal(Field::CardMasked, &card.masked, rng)?,
        ..card.clone()
    })
}
