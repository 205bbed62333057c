//! `POST /v1/credentials/void`: credentials that were set up to an instant become void, of all
//! customers or of some.

use std::sync::Arc;

use accounts_api::{VOID_TAKES_TWO, VoidCredentials, VoidOutcome, VoidWhose};
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{Signed, VoidOrder};
use roaring::RoaringBitmap;

use crate::app::{App, bad_request, whole_milliseconds};
use crate::domain::orders;
use crate::store::OrderKind;

/// Voids credentials. The order holds as soon as its row is on disk. The customers are counted
/// after that.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<VoidCredentials>,
) -> Result<Answer<VoidOutcome>, Problem> {
    app.check_controller(&caller)?;
    let until = orders::past(call.set_before, app.clock.now()).map_err(|e| bad_request(&e))?;
    let until = whole_milliseconds(until);
    let records = match &call.whose {
        VoidWhose::Everybody { order } => {
            approve(&app, &call, order).await?;
            None
        }
        VoidWhose::Only { roaring } => Some(some(&app, roaring).await?),
    };
    let started = app.clock.monotonic();
    let mut orders = app.orders.write().await;
    let kind = OrderKind::Void(records.as_ref());
    let order = app.store.insert_order(kind, call.incident, until, app.now()).await?;
    match records.clone() {
        None => orders.void(until),
        Some(records) => orders.void_some(until, records),
    }
    drop(orders);
    let seconds = app.clock.monotonic().saturating_sub(started).as_secs_f64();
    let customers = match &records {
        None => app.store.count_set_before(until).await?,
        Some(records) => records.len(),
    };
    tracing::info!(order, incident = call.incident, customers, "credentials are void");
    Ok(Answer(VoidOutcome { order, customers, seconds }, encoding))
}

/// Checks that the signed order is for this incident and instant. `keys` checks the signatures.
async fn approve(app: &App, call: &VoidCredentials, order: &str) -> Result<(), Problem> {
    let signed: Signed<VoidOrder> = serde_json::from_str(order)
        .map_err(|e| Problem::bad_request(format!("not a signed void order: {e}")))?;
    if signed.order.incident != call.incident || signed.order.set_before != call.set_before {
        return Err(Problem::bad_request("another incident or instant was signed"));
    }
    Ok(app.vault.approve_void_order(signed).await?)
}

/// The customers of an order that one person may give.
async fn some(app: &App, roaring: &[u8]) -> Result<RoaringBitmap, Problem> {
    let records = RoaringBitmap::deserialize_from(roaring)
        .map_err(|e| Problem::bad_request(format!("not a Roaring bitmap: {e}")))?;
    let all = app.store.highest_record().await?;
    orders::check_some(records.len(), all.into())
        .map_err(|e| Problem::new(VOID_TAKES_TWO, e.to_string()))?;
    Ok(records)
}
