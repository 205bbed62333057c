//! Carrying out void orders: over everybody or over a set, which people sign, and over some customers,
//! which one person may order within a limit.

use accounts_api::{VOID_TAKES_TWO, VoidOutcome};
use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_core::{Record, Timestamp};
use cofferdam_wire::{Problem, ProblemType};
use keys_api::{Order, Signed, VoidOrder};
use roaring::RoaringBitmap;

use crate::app::App;
use crate::domain::alone;
use crate::domain::voiding::{self, Asked, Shop};
use crate::store::{By, OverEverybody, OverSome};

/// Voids every credential that was set up to `until`, and ends every session. The order holds as
/// soon as its row is on disk. The customers are counted after that.
pub async fn everybody(
    app: &App,
    signed: Signed<VoidOrder>,
    until: Timestamp,
) -> Result<VoidOutcome, Problem> {
    let _one_at_a_time = app.voiding.lock().await;
    let (incident, bytes) = (signed.order.incident, signed.order.signed_bytes());
    let digest = digest(&SHA256, &bytes);
    let before = app.store.signed_order(digest.as_ref()).await?;
    if let Some((_, Some(outcome))) = before {
        return Ok(outcome);
    }
    let started = app.clock.monotonic();
    let revoked_before = app.orders.read().await.revoked_until;
    let ordered_at = app.now();
    let order = if let Some((order, _)) = before {
        // It held already, but its customers were not counted.
        order
    } else {
        app.vault.approve_void_order(signed).await?;
        let signed = digest.as_ref();
        let order = OverEverybody { incident, signed, set_before: until, ordered_at };
        let mut orders = app.orders.write().await;
        let last = app.store.last_order().await?;
        let number = app.store.insert_over_everybody(&order, last).await?.ok_or_else(busy)?;
        orders.void(until);
        orders.revoke(ordered_at);
        number
    };
    let seconds = app.clock.monotonic().saturating_sub(started).as_secs_f64();
    let customers = app.store.count_set_before(until).await?;
    let sessions = app.store.count_sessions(revoked_before, ordered_at, ordered_at).await?;
    let outcome =
        VoidOutcome { order, customers, sessions, left_out: 0, created_since: 0, seconds };
    app.store.set_outcome(&outcome).await?;
    tracing::info!(order, incident, customers, sessions, "everybody's credentials are void");
    Ok(outcome)
}

/// Voids the credentials of a set of customers that were set up to `until`, and ends their sessions, by
/// an order that people signed. `records` is the set that the order names.
pub async fn set(
    app: &App,
    signed: Signed<VoidOrder>,
    records: RoaringBitmap,
    until: Timestamp,
) -> Result<VoidOutcome, Problem> {
    let _one_at_a_time = app.voiding.lock().await;
    let (incident, bytes) = (signed.order.incident, signed.order.signed_bytes());
    let digest = digest(&SHA256, &bytes);
    let before = app.store.signed_order(digest.as_ref()).await?;
    if let Some((_, Some(outcome))) = before {
        return Ok(outcome);
    }
    let (started, ordered_at) = (app.clock.monotonic(), app.now());
    let good = good_sessions(app).await?;
    let sessions = good.iter().filter(|(record, _)| records.contains(record.0)).count() as u64;
    let order = if let Some((order, _)) = before {
        // It held already, but its customers were not counted.
        order
    } else {
        app.vault.approve_void_order(signed).await?;
        let by = By::Signers(digest.as_ref());
        let order = OverSome { incident, records: &records, by, set_before: until, ordered_at };
        let mut orders = app.orders.write().await;
        let last = app.store.last_order().await?;
        let number = app.store.insert_over_some(&order, last).await?.ok_or_else(busy)?;
        orders.void_some(until, ordered_at, records.clone());
        number
    };
    let seconds = app.clock.monotonic().saturating_sub(started).as_secs_f64();
    let passwords = app.store.passwords(&records).await?;
    let customers = passwords.iter().filter(|of| of.set_at <= until).count() as u64;
    let (left_out, created_since) = (0, 0);
    let outcome = VoidOutcome { order, customers, sessions, left_out, created_since, seconds };
    app.store.set_outcome(&outcome).await?;
    tracing::info!(order, incident, customers, sessions, "credentials of a set are void");
    Ok(outcome)
}

/// An order over some customers, as it was given.
pub struct Named {
    /// The number of the incident.
    pub incident: u32,
    /// The customers.
    pub records: RoaringBitmap,
    /// Whether passwords that were set since an earlier order of the incident are covered too.
    pub again: bool,
    /// Credentials that were set up to this instant are void.
    pub until: Timestamp,
}

/// Voids the credentials of some customers that were set up to an instant, and ends their sessions
/// up to it.
pub async fn some(app: &App, named: Named) -> Result<VoidOutcome, Problem> {
    let _one_at_a_time = app.voiding.lock().await;
    let Named { incident, records, again, until } = named;
    let (started, ordered_at) = (app.clock.monotonic(), app.now());
    let history = app.store.history(incident, ordered_at).await?;
    let passwords = app.store.passwords(&records).await?;
    if passwords.is_empty() {
        return Err(Problem::not_found("no customer has one of these record numbers"));
    }
    let all = app.store.count_credentials().await?;
    let sessions = good_sessions(app).await?;
    let orders = app.orders.read().await;
    let customers = alone::customers_among(all, app.decoy_one_in);
    let shop = Shop { orders: &orders, sessions: &sessions, customers };
    let extent = voiding::extent(&history, Asked { passwords, again, until }, &shop)
        .map_err(|e| Problem::new(VOID_TAKES_TWO, e.to_string()))?;
    drop(orders);
    let (left_out, created_since) = (extent.set_since, extent.created_since);
    let mut outcome = VoidOutcome {
        order: history.last_of_incident,
        customers: extent.customers,
        sessions: extent.counted.sessions,
        left_out,
        created_since,
        seconds: 0.0,
    };
    if extent.records.is_empty() {
        return Ok(outcome);
    }
    let by = By::One(&extent.counted);
    let order = OverSome { incident, records: &extent.records, by, set_before: until, ordered_at };
    let mut orders = app.orders.write().await;
    let order = app.store.insert_over_some(&order, history.last).await?.ok_or_else(busy)?;
    orders.void_some(until, until, extent.records);
    drop(orders);
    outcome.order = order;
    outcome.seconds = app.clock.monotonic().saturating_sub(started).as_secs_f64();
    let VoidOutcome { customers, sessions, .. } = outcome;
    tracing::info!(order, incident, customers, sessions, left_out, "credentials are void");
    Ok(outcome)
}

/// Every session that is not over: the customer, and the instant at which it was opened.
async fn good_sessions(app: &App) -> Result<Vec<(Record, Timestamp)>, Problem> {
    let orders = app.orders.read().await;
    let mut good = app.store.good_sessions(orders.revoked_until, app.now()).await?;
    good.retain(|(record, opened)| !orders.revokes(*record, *opened));
    Ok(good)
}

/// The problem that another instance carried out an order at the same moment.
fn busy() -> Problem {
    let what = "another instance carried out an order at this moment: give this one again";
    Problem::new(ProblemType::UNAVAILABLE, what)
}
