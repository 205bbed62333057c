//! Moves customers to the current epoch: opens every text under the key of its old epoch and
//! seals it under the new one. It needs no cursor on disk: a row says itself under which epoch it
//! is sealed, so that an interrupted run finds what is left.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cofferdam_core::{
    CallerName, Epoch, FieldSet, OpenError, Operation, Record, Reseal, Rng, SealedAs,
};
use cofferdam_store::StoreError;
use cofferdam_wire::TaskLost;
use keys_api::KeyGroup;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::keys::{GroupKeys, KeysError, Wanted};
use crate::store::SealedCustomer;

/// How often `keys` is asked for its epoch.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Rows at once: `keys` counts each twice, and takes 10,000.
const PAGE: u32 = 4_000;

/// Why a page was not re-sealed; it is tried again.
#[derive(Debug, thiserror::Error)]
enum ResealError {
    #[error(transparent)]
    Task(#[from] TaskLost),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Looks for a new epoch, and re-seals, for as long as it is polled. `name` is the compartment's
/// own: it asks for itself.
pub async fn reseal(app: Arc<App>, name: CallerName) {
    loop {
        if let Err(e) = run(&app, &name).await {
            tracing::warn!(cause = %e, "customers could not be re-sealed");
            app.reseal.send_modify(|of| of.trouble = Some(e.to_string()));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn run(app: &Arc<App>, name: &CallerName) -> Result<(), ResealError> {
    let epochs = app.keys.epochs().await?;
    let (current, records) = (epochs.current, app.store.reserved().await?);
    let before = app.reseal.borrow().clone();
    if before.epoch == Some(current) && before.is_done() {
        app.reseal.send_modify(|of| (of.records, of.done_before) = (records, records));
        return Ok(());
    }
    let done_before = if before.epoch == Some(current) { before.done_before } else { 0 };
    let resealed = if before.epoch == Some(current) { before.resealed } else { 0 };
    let epoch = Some(current);
    app.reseal.send_replace(Reseal {
        epoch,
        running: true,
        resealed,
        done_before,
        records,
        trouble: None,
    });
    let ended = walk(app, name, current, done_before).await;
    app.reseal.send_modify(|of| {
        of.running = false;
        if ended.is_ok() {
            of.done_before = of.records;
        }
    });
    ended
}

/// Page by page; while one is written, the next is fetched and sealed.
async fn walk(
    app: &Arc<App>,
    name: &CallerName,
    current: Epoch,
    from: u64,
) -> Result<(), ResealError> {
    let mut next = fetch(app, name, current, from);
    loop {
        let Some(page) = next.await.map_err(TaskLost::from)?? else { return Ok(()) };
        let count = page.rows.len() as u64;
        next = fetch(app, name, current, page.upto);
        app.store.replace_sealed(page.rows, current).await?;
        app.reseal.send_modify(|of| {
            of.resealed += count;
            of.done_before = page.upto;
        });
    }
}

/// Rows sealed anew, with the epoch that they were sealed under before.
struct Page {
    rows: Vec<(Epoch, SealedCustomer)>,
    upto: u64,
}

fn fetch(
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
        let rows = seal_anew(&app, &name, current, rows).await?;
        Ok(Some(Page { rows, upto: u64::from(last.0) + 1 }))
    })
}

type Groups = BTreeMap<(Epoch, u16), Vec<SealedCustomer>>;

async fn seal_anew(
    app: &Arc<App>,
    name: &CallerName,
    current: Epoch,
    rows: Vec<SealedCustomer>,
) -> Result<Vec<(Epoch, SealedCustomer)>, ResealError> {
    let mut groups = Groups::new();
    for row in rows {
        groups.entry((row.epoch, row.filled().bits())).or_default().push(row);
    }
    let group = |((epoch, bits), rows): (&(Epoch, u16), &Vec<SealedCustomer>)| {
        let fields = FieldSet::from_bits(*bits).unwrap_or_default();
        let records: Vec<_> = rows.iter().map(|row| row.record).collect();
        [*epoch, current].map(|of| KeyGroup { fields, epoch: Some(of), records: records.clone() })
    };
    let groups_wanted = groups.iter().flat_map(group).collect();
    let wanted =
        Wanted { caller: name, operation: Operation::Reseal, groups: groups_wanted, warrant: None };
    let released = app.keys.release(wanted).await?;
    let rng = app.rng.clone();
    let sealing = cofferdam_wire::blocking(move || {
        let pairs = released.groups.as_chunks::<2>().0.iter();
        let each = groups.into_values().zip(pairs);
        let sealed = each.map(|(rows, [old, new])| seal_group(rows, old, new, &*rng));
        sealed.collect::<Result<Vec<_>, _>>()
    });
    Ok(sealing.await??.into_iter().flatten().collect())
}

/// Rows that were erased meanwhile have no keys, and stay as they are.
fn seal_group(
    rows: Vec<SealedCustomer>,
    old: &GroupKeys,
    new: &GroupKeys,
    rng: &dyn Rng,
) -> Result<Vec<(Epoch, SealedCustomer)>, OpenError> {
    let mut out = Vec::with_capacity(rows.len());
    for mut row in rows {
        let keys = old.keys.get(&row.record).zip(new.keys.get(&row.record));
        let Some((old_keys, new_keys)) = keys else { continue };
        let mut keys = old_keys.iter().zip(new_keys);
        let record = row.record;
        for (field, sealed) in row.texts_mut() {
            let Some((old_key, new_key)) = keys.next() else { continue };
            let was = SealedAs { record, field, epoch: old.epoch };
            *sealed = was.move_to(new.epoch, old_key, new_key, sealed, rng)?;
        }
        let was = std::mem::replace(&mut row.epoch, new.epoch);
        out.push((was, row));
    }
    Ok(out)
}
