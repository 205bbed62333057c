//! Following who the customers are: their coarse attributes, in bitmaps.

use std::sync::Arc;
use std::time::Duration;

use accounts_api::{ListCustomers, ReadChanges};
use cofferdam_core::Record;
use cofferdam_store::StoreError;
use cofferdam_wire::{CallError, Problem};

use crate::app::App;
use crate::domain::population::Population;

/// How long between two looks.
const EVERY: Duration = Duration::from_secs(5);
/// How often at most the bitmaps are written down, in looks.
const KEEP_EVERY: u32 = 60;
/// Customers a page.
const PAGE: u32 = 10_000;
/// So many changes are read again: several may be written at once, and a later one be seen before
/// an earlier one.
const OVERLAP: u64 = 64;
/// For how long after the last change they are read again.
const UNSETTLED: Duration = Duration::from_mins(1);
/// A number that no change has.
const NONE_BEHIND: u64 = i64::MAX as u64;

/// The customers as last seen.
#[derive(Debug, Default)]
pub struct Customers {
    /// Who they are.
    pub people: Arc<Population>,
    /// The last change in there; `None` before all were listed once.
    last: Option<u64>,
    kept: Option<u64>,
    /// When something changed last, by the monotonic clock.
    changed: Option<Duration>,
}

/// Why the customers are not known as they are now.
#[derive(Debug, thiserror::Error)]
pub enum CustomersError {
    /// `accounts` did not answer, or refused.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The bitmaps can't be read or kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CustomersError> for Problem {
    fn from(error: CustomersError) -> Self {
        match error {
            CustomersError::Call(e) => e.into(),
            CustomersError::Store(e) => Self::internal(&e),
        }
    }
}

/// Follows the customers until the compartment stops.
pub async fn follow_customers(app: Arc<App>) {
    let mut looks = 0_u32;
    loop {
        let done = async {
            customers(&app).await?;
            if looks.is_multiple_of(KEEP_EVERY) {
                keep(&app).await?;
            }
            Ok::<(), CustomersError>(())
        };
        if let Err(e) = done.await {
            tracing::warn!(cause = %e, "customers' coarse attributes could not be followed");
        }
        looks = looks.wrapping_add(1);
        tokio::time::sleep(EVERY).await;
    }
}

/// The customers as they are now.
pub async fn customers(app: &App) -> Result<Arc<Population>, CustomersError> {
    let mut known = app.customers.lock().await;
    let now = app.clock.monotonic();
    if known.last.is_none()
        && let Some((people, last)) = app.store.population().await?
    {
        let people = Arc::new(people);
        *known = Customers { people, last: Some(last), kept: Some(last), changed: Some(now) };
    }
    let mut after = match known.last {
        Some(last) if known.changed.is_none_or(|at| now.saturating_sub(at) > UNSETTLED) => last,
        Some(last) => last.saturating_sub(OVERLAP),
        None => list_all(app, &mut known).await?,
    };
    loop {
        let changes = app.accounts.call(&ReadChanges { after }).await?;
        if changes.forgotten && after > 0 {
            after = list_all(app, &mut known).await?;
            continue;
        }
        if !changes.rows.is_empty() || !changes.gone.is_empty() {
            Arc::make_mut(&mut known.people).apply(&changes);
        }
        if Some(changes.last) > known.last {
            (known.last, known.changed) = (Some(changes.last), Some(now));
        }
        if !changes.more || changes.last == after {
            return Ok(known.people.clone());
        }
        after = changes.last;
    }
}

/// Lists every customer; the change from which to go on: what is changed meanwhile is read again.
async fn list_all(app: &App, known: &mut Customers) -> Result<u64, CustomersError> {
    let changes = app.accounts.call(&ReadChanges { after: NONE_BEHIND }).await?;
    let start = changes.newest.saturating_sub(OVERLAP);
    let (mut people, mut from) = (Population::default(), 0);
    loop {
        let rows = app.accounts.call(&ListCustomers { from: Record(from), limit: PAGE }).await?;
        let Some(last) = rows.last() else { break };
        from = last.record.0.saturating_add(1);
        people.put(&rows);
    }
    let (people, now) = (Arc::new(people), app.clock.monotonic());
    *known = Customers { people, last: Some(start), kept: None, changed: Some(now) };
    Ok(start)
}

async fn keep(app: &App) -> Result<(), CustomersError> {
    let (people, last) = {
        let known = app.customers.lock().await;
        let Some(last) = known.last.filter(|last| known.kept != Some(*last)) else {
            return Ok(());
        };
        (known.people.clone(), last)
    };
    app.store.set_population(&people, last).await?;
    app.customers.lock().await.kept = Some(last);
    Ok(())
}
