//! Moves customers to the current epoch: each text is opened under the key of its old epoch and
//! sealed under the new one. Verifiers and look-up indexes move to the newest half with them. The loop
//! keeps no cursor on disk. Each row has its epoch, so that a run after an interruption finds the rows
//! that are left.

use std::sync::Arc;
use std::time::Duration;

use cofferdam_core::{CallerName, Epoch, Record, Reseal, Rng};
use cofferdam_store::{HalfStage, StoreError};
use cofferdam_wire::{TaskLost, blocking};
use keys_client::{Resealing, SealedRecord, VaultError};
use tokio::task::JoinHandle;

use super::resting::RestingElsewhere;
use crate::app::App;
use crate::store::{MovedCustomers, SealedCustomer};

/// The time between two questions to `keys` about its epoch.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// The number of rows that are moved at once: `keys` counts each twice, and takes 10,000.
const PAGE: u32 = 4_000;

/// A page that was not re-sealed, and is tried again.
#[derive(Debug, thiserror::Error)]
enum ResealError {
    #[error(transparent)]
    Task(#[from] TaskLost),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "the verifiers or indexes of {count} customers do not open under any half, that of record \
         {first} first: those customers can't sign in until they reset their passwords"
    )]
    Immovable { first: Record, count: usize },
}

/// Asks for a new epoch, and re-seals, for as long as it is polled. `name` is the compartment's
/// own, because it asks for itself.
pub async fn reseal(app: Arc<App>, name: CallerName) {
    loop {
        if let Err(e) = run(&app, &name).await {
            tracing::warn!(cause = %e, "customers could not be re-sealed");
            app.reseal.send_modify(|of| of.trouble = Some(e.to_string()));
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

async fn run(app: &Arc<App>, name: &CallerName) -> Result<(), ResealError> {
    let current = app.vault.epochs().await?.current;
    let records = u64::from(app.store.db().numbers_reserved().await?);
    let before = app.reseal.borrow().clone();
    if before.epoch == Some(current) && before.is_done() {
        app.reseal.send_modify(|of| (of.records, of.done_before) = (records, records));
        return Ok(());
    }
    let begun = before.epoch == Some(current);
    let (done_before, resealed) =
        if begun { (before.done_before, before.resealed) } else { (0, 0) };
    let (epoch, running, trouble) = (Some(current), true, None);
    app.reseal.send_replace(Reseal { epoch, running, resealed, done_before, records, trouble });
    app.vault.note_beginning(app.store.db(), current).await?;
    let ended = move_all(app, name, current, done_before).await;
    app.reseal.send_modify(|of| {
        of.running = false;
        // A row that does not open now does not open in the next round either.
        if matches!(ended, Ok(()) | Err(ResealError::Immovable { .. })) {
            of.done_before = of.records;
        }
    });
    ended
}

/// Moves all customers, and then whatever rests elsewhere than under the newest half. From then on,
/// nothing else is opened.
async fn move_all(
    app: &Arc<App>,
    name: &CallerName,
    current: Epoch,
    from: u64,
) -> Result<(), ResealError> {
    move_pages(app, name, current, from).await?;
    let halves = app.vault.halves();
    let Some(newest) = halves.newest().filter(|from| *from <= current && !halves.is_complete())
    else {
        return Ok(());
    };
    move_the_rest(app, newest, current).await?;
    app.store.db().note_half_stage(newest, HalfStage::Complete).await?;
    halves.complete();
    Ok(())
}

/// Moves what rests elsewhere although its customer is of the current epoch.
async fn move_the_rest(app: &App, newest: Epoch, current: Epoch) -> Result<(), ResealError> {
    let mut before = Vec::new();
    loop {
        let records = app.store.resting_elsewhere(newest, PAGE).await?;
        let Some(first) = records.first() else { return Ok(()) };
        if records == before {
            return Err(ResealError::Immovable { first: *first, count: records.len() });
        }
        let elsewhere = RestingElsewhere::read(app, &records).await?;
        let (verifiers, indexes) = elsewhere.moved(app.vault.halves());
        let moved = MovedCustomers { verifiers, indexes, ..MovedCustomers::default() };
        app.store.move_customers(moved, current).await?;
        before = records;
    }
}

/// Moves page after page. While one page is written, the next is fetched and sealed.
async fn move_pages(
    app: &Arc<App>,
    name: &CallerName,
    current: Epoch,
    from: u64,
) -> Result<(), ResealError> {
    let mut next = prepare(app, name, current, from);
    loop {
        let Some(page) = next.await.map_err(TaskLost::from)?? else { return Ok(()) };
        let count = page.moved.customers.len() as u64;
        next = prepare(app, name, current, page.upto);
        app.store.move_customers(page.moved, current).await?;
        app.reseal.send_modify(|of| {
            of.resealed += count;
            of.done_before = page.upto;
        });
    }
}

/// Customers who are sealed anew.
struct Page {
    moved: MovedCustomers,
    upto: u64,
}

/// Begins to fetch and seal the page from `from` on; `None` at the end.
fn prepare(
    app: &Arc<App>,
    name: &CallerName,
    current: Epoch,
    from: u64,
) -> JoinHandle<Result<Option<Page>, ResealError>> {
    let (app, name) = (app.clone(), name.clone());
    tokio::spawn(async move {
        let Ok(from) = u32::try_from(from) else { return Ok(None) };
        let rows = app.store.sealed_before(Record(from), current, PAGE).await?;
        let Some(last) = rows.last().map(|row| row.record) else { return Ok(None) };
        let sealed: Vec<_> = rows.iter().map(sealed_record).collect();
        let keys = app.vault.keys_to_reseal(&name, &sealed, current).await?;
        let records: Vec<_> = rows.iter().map(|row| row.record).collect();
        let elsewhere = RestingElsewhere::read(&app, &records).await?;
        let (halves, rng) = (app.vault.halves().clone(), app.rng.clone());
        let moved = blocking(move || {
            let customers = move_rows(rows, &keys, &*rng)?;
            let (verifiers, indexes) = elsewhere.moved(&halves);
            Ok::<_, VaultError>(MovedCustomers { customers, verifiers, indexes })
        });
        Ok(Some(Page { moved: moved.await??, upto: u64::from(last.0) + 1 }))
    })
}

fn sealed_record(row: &SealedCustomer) -> SealedRecord {
    SealedRecord { record: row.record, epoch: row.epoch, fields: row.filled() }
}

/// Seals rows anew. Rows that were erased meanwhile have no keys, and stay unchanged.
fn move_rows(
    rows: Vec<SealedCustomer>,
    keys: &Resealing,
    rng: &dyn Rng,
) -> Result<Vec<(Epoch, SealedCustomer)>, VaultError> {
    let mut moved = Vec::with_capacity(rows.len());
    for mut row in rows {
        let Some(keys) = keys.get(row.record) else { continue };
        for (field, sealed) in &mut row.sealed {
            *sealed = keys.reseal(*field, sealed, rng)?;
        }
        let before = std::mem::replace(&mut row.epoch, keys.epoch());
        moved.push((before, row));
    }
    Ok(moved)
}
