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
use crate::domain::orders::Orders;
use crate::domain::voiding::{self, Asked, OrderNumber, Shop};
use crate::store::{By, OverEverybody, OverSome};

/// Carries out an order that people signed: over everybody, or over the set `records` that it names.
/// Credentials that were set up to `until` are void, and every session ends. Customers are counted
/// after the order holds at every instance.
pub async fn signed(
    app: &App,
    order: Signed<VoidOrder>,
    records: Option<RoaringBitmap>,
    until: Timestamp,
) -> Result<VoidOutcome, Problem> {
    let _one_at_a_time = app.voiding.lock().await;
    let (incident, bytes) = (order.order.incident, order.order.signed_bytes());
    let digest = digest(&SHA256, &bytes);
    let before = app.caught_up_orders().await?;
    let started = app.clock.monotonic();
    let known = app.store.signed_order(digest.as_ref()).await?;
    let (number, ordered_at) = if let Some((number, outcome)) = known {
        // It was stored already. Perhaps it did not hold everywhere, or nobody was counted.
        app.orders.hold_everywhere(before.generation).await?;
        if let Some(outcome) = outcome {
            return Ok(outcome);
        }
        (number, app.now())
    } else {
        app.vault.approve_void_order(order).await?;
        let signed = digest.as_ref();
        store(app, SignedOrder { incident, signed, records: records.as_ref(), until }).await?
    };
    let seconds = app.clock.monotonic().saturating_sub(started).as_secs_f64();
    let (customers, sessions) = match &records {
        None => {
            let after = before.revoked_until;
            let sessions = app.store.count_sessions(after, ordered_at, ordered_at).await?;
            (app.store.count_set_before(until).await?, sessions)
        }
        Some(records) => {
            let sessions = good_sessions(app, &before, ordered_at).await?;
            let ends = |(record, opened): &&(Record, Timestamp)| {
                *opened <= ordered_at && records.contains(record.0)
            };
            let passwords = app.store.passwords(records).await?;
            let void = passwords.iter().filter(|of| of.set_at <= until).count();
            (void as u64, sessions.iter().filter(ends).count() as u64)
        }
    };
    let (order, left_out, created_since) = (number, 0, 0);
    let outcome = VoidOutcome { order, customers, sessions, left_out, created_since, seconds };
    app.store.set_outcome(&outcome).await?;
    let everybody = records.is_none();
    tracing::info!(order, incident, customers, sessions, everybody, "credentials are void");
    Ok(outcome)
}

/// An order that `keys` approved.
struct SignedOrder<'a> {
    incident: u32,
    /// SHA-256 of what was signed.
    signed: &'a [u8],
    records: Option<&'a RoaringBitmap>,
    until: Timestamp,
}

/// Stores an order, and waits until it holds at every instance. Returns its number and its instant.
async fn store(app: &App, of: SignedOrder<'_>) -> Result<(OrderNumber, Timestamp), Problem> {
    let SignedOrder { incident, signed, records, until: set_before } = of;
    let mut change = app.store.db().begin_shared_change().await?;
    // No session is stored from here to the commit, so the order ends every one that there is.
    let ordered_at = app.now();
    let last = app.store.last_order().await?;
    let stored = if let Some(records) = records {
        let by = By::Signers(signed);
        let order = OverSome { incident, records, by, set_before, ordered_at };
        app.store.insert_over_some(&mut change, &order, last).await?
    } else {
        let order = OverEverybody { incident, signed, set_before, ordered_at };
        app.store.insert_over_everybody(&mut change, &order, last).await?
    };
    let number = stored.ok_or_else(busy)?;
    app.orders.hold_everywhere(change.commit().await?).await?;
    Ok((number, ordered_at))
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
    let orders = app.caught_up_orders().await?;
    let sessions = good_sessions(app, &orders, app.now()).await?;
    let customers = alone::customers_among(all, app.decoy_one_in);
    let shop = Shop { orders: &orders, sessions: &sessions, customers };
    let extent = voiding::extent(&history, Asked { passwords, again, until }, &shop)
        .map_err(|e| Problem::new(VOID_TAKES_TWO, e.to_string()))?;
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
        // An earlier order covers them all. Perhaps it did not hold everywhere.
        app.orders.hold_everywhere(orders.generation).await?;
        return Ok(outcome);
    }
    let by = By::One(&extent.counted);
    let order = OverSome { incident, records: &extent.records, by, set_before: until, ordered_at };
    let mut change = app.store.db().begin_shared_change().await?;
    let stored = app.store.insert_over_some(&mut change, &order, history.last).await?;
    outcome.order = stored.ok_or_else(busy)?;
    app.orders.hold_everywhere(change.commit().await?).await?;
    outcome.seconds = app.clock.monotonic().saturating_sub(started).as_secs_f64();
    let VoidOutcome { order, customers, sessions, .. } = outcome;
    tracing::info!(order, incident, customers, sessions, left_out, "credentials are void");
    Ok(outcome)
}

/// Every session that is not over at `now` by `orders`: the customer, and the instant at which it was
/// opened.
async fn good_sessions(
    app: &App,
    orders: &Orders,
    now: Timestamp,
) -> Result<Vec<(Record, Timestamp)>, Problem> {
    let mut good = app.store.good_sessions(orders.revoked_until, now).await?;
    good.retain(|(record, opened)| !orders.revokes(*record, *opened));
    Ok(good)
}

/// The problem that another instance carried out an order at the same moment.
fn busy() -> Problem {
    let what = "another instance carried out an order at this moment: give this one again";
    Problem::new(ProblemType::UNAVAILABLE, what)
}
