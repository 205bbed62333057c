//! Moves cards to the current epoch: opens every text under the key of its old epoch and seals
//! it under the new one. A row says itself under which epoch it is sealed, so that an interrupted
//! run finds what is left.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_core::{CallerName, Epoch, Field, FieldSet, Record, Reseal};
use cofferdam_store::StoreError;
use cofferdam_wire::{CallError, Problem};

use crate::app::App;
use crate::keys::CardKeys;
use crate::store::SealedCard;

/// How often `keys` is asked for its epoch.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Cards at once: `keys` counts each twice, and takes 10,000.
const PAGE: u32 = 4_000;

/// Why cards were not re-sealed; it is tried again.
#[derive(Debug, thiserror::Error)]
enum ResealError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Refused(#[from] Problem),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Looks for a new epoch, and re-seals, for as long as it is polled. `name` is the compartment's
/// own: it asks for itself.
pub async fn reseal(app: Arc<App>, name: CallerName) {
    loop {
        if let Err(e) = run(&app, &name).await {
            tracing::warn!(cause = %e, "cards could not be re-sealed");
            app.reseal.send_modify(|of| of.trouble = Some(e.to_string()));
        }
        app.reseal.send_modify(|of| of.running = false);
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn run(app: &App, name: &CallerName) -> Result<(), ResealError> {
    let current = app.keys.epochs().await?.current;
    let records = u64::from(*app.next.lock().await);
    let before = app.reseal.borrow().clone();
    let same = before.epoch == Some(current);
    // What was done under another epoch says nothing of this one.
    let (mut from, resealed) = if same { (before.done_before, before.resealed) } else { (0, 0) };
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
        let moved = seal_anew(app, name, current, cards).await?;
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

/// Cards of one epoch after the other.
async fn seal_anew(
    app: &App,
    name: &CallerName,
    current: Epoch,
    mut cards: Vec<SealedCard>,
) -> Result<Vec<(Epoch, SealedCard)>, ResealError> {
    let fields = [Field::CardNumber, Field::CardExpiry, Field::CardMasked].into_iter();
    let fields: FieldSet = fields.collect();
    cards.sort_by_key(|card| (card.epoch, card.record));
    let mut moved = Vec::with_capacity(cards.len());
    for epoch in cards.chunk_by(|a, b| a.epoch == b.epoch) {
        let records: Vec<_> = epoch.iter().map(|card| card.record).collect();
        let epochs = [epoch[0].epoch, current];
        let [old, new] = app.keys.to_reseal(name, fields, &records, epochs).await?;
        for (card, (old, new)) in epoch.iter().zip(old.iter().zip(&new)) {
            moved.push((card.epoch, seal_card(app, card, old, new)?));
        }
    }
    Ok(moved)
}

fn seal_card(
    app: &App,
    card: &SealedCard,
    old: &CardKeys,
    new: &CardKeys,
) -> Result<SealedCard, Problem> {
    let move_one = |field, sealed: &[u8]| new.seal(field, &old.open(field, sealed)?, &*app.rng);
    Ok(SealedCard {
        epoch: new.epoch(),
        number: move_one(Field::CardNumber, &card.number)?,
        expiry: move_one(Field::CardExpiry, &card.expiry)?,
        masked: move_one(Field::CardMasked, &card.masked)?,
        ..card.clone()
    })
}
