//! Follows the customers of `accounts`: their coarse attributes, in bitmaps.

use std::sync::Arc;
use std::time::Duration;

use accounts_api::{ListCustomers, ReadChanges};
use cofferdam_core::Record;
use cofferdam_store::StoreError;
use cofferdam_wire::{CallError, Problem};
use response_exposure::Population;

use crate::app::App;

/// The pause between two rounds.
const FOLLOW_EVERY: Duration = Duration::from_secs(5);
/// The number of rounds after which the bitmaps are stored.
const KEEP_EVERY: u32 = 60;
/// The number of customers in one question.
const PAGE: u32 = 10_000;
/// The number of the latest changes that are read again. Several may be written at once, so a later
/// one can be seen before an earlier one.
const OVERLAP: u64 = 64;
/// The time after the last change for which the latest changes are read again.
const UNSETTLED: Duration = Duration::from_mins(1);
/// A change number that is never reached.
const BEYOND_ALL_CHANGES: u64 = i64::MAX as u64;

/// The customers as last seen.
#[derive(Debug, Default)]
pub struct Customers {
    /// The customers' attributes.
    pub population: Arc<Population>,
    /// The number of the last change in the population; `None` before the first full listing.
    last: Option<u64>,
    /// The number of the last change that was stored.
    kept: Option<u64>,
    /// The instant of the last change, by the monotonic clock.
    changed: Option<Duration>,
}

/// Customers who are not known as they are now.
#[derive(Debug, thiserror::Error)]
pub enum CustomersError {
    /// `accounts` did not answer, or refused.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The bitmaps can't be read or stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CustomersError> for Problem {
    fn from(error: CustomersError) -> Self {
        match error {
            CustomersError::Call(e) => e.into(),
            CustomersError::Store(e) => e.into(),
        }
    }
}

/// Follows the customers until the compartment stops.
pub async fn follow_customers(app: Arc<App>) {
    let mut rounds = 0_u32;
    loop {
        let round = async {
            current_customers(&app).await?;
            if rounds.is_multiple_of(KEEP_EVERY) {
                keep(&app).await?;
            }
            Ok::<(), CustomersError>(())
        };
        if let Err(e) = round.await {
            tracing::warn!(cause = %e, "customers' coarse attributes could not be followed");
        }
        rounds = rounds.wrapping_add(1);
        tokio::time::sleep(FOLLOW_EVERY).await;
    }
}

/// Brings the customers up to date, and returns them.
pub async fn current_customers(app: &App) -> Result<Arc<Population>, CustomersError> {
    let mut known = app.people.customers.lock().await;
    let now = app.clock.monotonic();
    if known.last.is_none()
        && let Some((population, last)) = app.store.customers().await?
    {
        let population = Arc::new(population);
        *known = Customers { population, last: Some(last), kept: Some(last), changed: Some(now) };
    }
    let mut after = match known.last {
        Some(last) if known.changed.is_none_or(|at| now.saturating_sub(at) > UNSETTLED) => last,
        Some(last) => last.saturating_sub(OVERLAP),
        None => list_all(app, &mut known).await?,
    };
    loop {
        let changes = app.compartments.accounts.call(&ReadChanges { after }).await?;
        if changes.forgotten && after > 0 {
            after = list_all(app, &mut known).await?;
            continue;
        }
        if !changes.rows.is_empty() || !changes.gone.is_empty() {
            Arc::make_mut(&mut known.population).apply(&changes);
        }
        if Some(changes.last) > known.last {
            (known.last, known.changed) = (Some(changes.last), Some(now));
        }
        if !changes.more || changes.last == after {
            return Ok(known.population.clone());
        }
        after = changes.last;
    }
}

/// Lists every customer. Returns the change after which to continue, so that changes made meanwhile
/// are read again.
async fn list_all(app: &App, known: &mut Customers) -> Result<u64, CustomersError> {
    let accounts = &app.compartments.accounts;
    let changes = accounts.call(&ReadChanges { after: BEYOND_ALL_CHANGES }).await?;
    let start = changes.newest.saturating_sub(OVERLAP);
    let (mut population, mut from) = (Population::default(), 0);
    loop {
        let rows = accounts.call(&ListCustomers { from: Record(from), limit: PAGE }).await?;
        let Some(last) = rows.last() else { break };
        from = last.record.0.saturating_add(1);
        population.put(&rows);
    }
    let (population, now) = (Arc::new(population), app.clock.monotonic());
    *known = Customers { population, last: Some(start), kept: None, changed: Some(now) };
    Ok(start)
}

async fn keep(app: &App) -> Result<(), CustomersError> {
    let (population, last) = {
        let known = app.people.customers.lock().await;
        let Some(last) = known.last.filter(|last| known.kept != Some(*last)) else {
            return Ok(());
        };
        (known.population.clone(), last)
    };
    app.store.set_customers(&population, last).await?;
    app.people.customers.lock().await.kept = Some(last);
    Ok(())
}
