//! Carrying out void orders: over everybody, which people sign, and over some customers, which one
//! person may order within a limit.

use accounts_api::{VOID_TAKES_TWO, VoidOutcome};
use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_core::{Record, Timestamp};
use cofferdam_wire::{Problem, ProblemType};
use keys_api::{Order, Signed, VoidOrder};
use roaring::RoaringBitmap;

use crate::app::App;
use crate::domain::alone::{self, Ordered, Whole};
use crate::store::{OverEverybody, OverSome};

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
    let outcome = VoidOutcome { order, customers, sessions, left_out: 0, seconds };
    app.store.set_outcome(&outcome).await?;
    tracing::info!(order, incident, customers, sessions, "everybody's credentials are void");
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
    let history = app.store.history(incident, day_before(ordered_at)).await?;
    let known = app.store.set_at(&records).await?;
    if known.is_empty() {
        return Err(Problem::not_found("no customer has one of these record numbers"));
    }
    let set_since =
        |(record, set_at): &(Record, Timestamp)| !again && history.is_set_since(*record, *set_at);
    let (set_since, passwords): (Vec<_>, Vec<_>) = known.into_iter().partition(set_since);
    let left_out = set_since.len() as u64;
    if passwords.is_empty() {
        let order = history.last_of_incident;
        return Ok(VoidOutcome { order, customers: 0, sessions: 0, left_out, seconds: 0.0 });
    }
    let records: RoaringBitmap = passwords.iter().map(|(record, _)| record.0).collect();
    let counted = within_limit(app, &history.alone, (&passwords, &records, until)).await?;
    let sessions = counted.sessions;
    let set_before = until;
    let order = OverSome { incident, records: &records, counted: &counted, set_before, ordered_at };
    let mut orders = app.orders.write().await;
    let order = app.store.insert_over_some(&order, history.last).await?.ok_or_else(busy)?;
    orders.void_some(until, records);
    drop(orders);
    let seconds = app.clock.monotonic().saturating_sub(started).as_secs_f64();
    let customers = passwords.iter().filter(|(_, set_at)| *set_at <= until).count() as u64;
    tracing::info!(order, incident, customers, sessions, left_out, "credentials are void");
    Ok(VoidOutcome { order, customers, sessions, left_out, seconds })
}

/// Counts what an order over some customers shuts out, and checks it against the limit of one
/// person.
async fn within_limit(
    app: &App,
    before: &Ordered,
    (passwords, records, until): (&[(Record, Timestamp)], &RoaringBitmap, Timestamp),
) -> Result<Ordered, Problem> {
    let all = app.store.count_credentials().await?;
    let orders = app.orders.read().await;
    let newly = |(record, set_at): &&(Record, Timestamp)| {
        *set_at <= until && !orders.voids(*record, *set_at)
    };
    let customers = passwords.iter().filter(newly).map(|(record, _)| record.0).collect();
    let mut good = app.store.good_sessions(orders.revoked_until, app.now()).await?;
    good.retain(|(record, opened)| !orders.revokes(*record, *opened));
    drop(orders);
    let ends =
        |(record, opened): &&(Record, Timestamp)| *opened <= until && records.contains(record.0);
    let sessions = good.iter().filter(ends).count() as u64;
    let counted = Ordered { customers, sessions };
    let customers = alone::customers_among(all, app.decoy_one_in);
    let whole = Whole { customers, sessions: good.len() as u64 };
    alone::check(before, &counted, whole)
        .map_err(|e| Problem::new(VOID_TAKES_TWO, e.to_string()))?;
    Ok(counted)
}

fn day_before(now: Timestamp) -> Timestamp {
    now.saturating_sub(alone::SPAN).unwrap_or(Timestamp::MIN)
}

/// The problem that another instance carried out an order at the same moment.
fn busy() -> Problem {
    let what = "another instance carried out an order at this moment: give this one again";
    Problem::new(ProblemType::UNAVAILABLE, what)
}
