//! `POST /v1/contain/void`: voids every credential set up to an instant, or those of some.

use std::sync::Arc;

use accounts_api::{OrderVoid, VoidOrder, Whose};
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::Signed;
use roaring::RoaringBitmap;

use crate::app::App;
use crate::store::OrderKind;

/// So many customers one person may shut out, whatever their part of all.
const FEW: u64 = 1_000;

/// Orders that credentials are void. It holds as soon as the row is on disk; only then they are
/// counted.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<OrderVoid>,
) -> Result<Answer<VoidOrder>, Problem> {
    app.check_controller(&caller)?;
    let until = app.past(call.set_before)?;
    let records = match &call.whose {
        Whose::Everybody { order } => {
            approve(&app, &call, order).await?;
            None
        }
        Whose::Only { roaring } => Some(some(&app, roaring).await?),
    };
    let started = app.clock.monotonic();
    let mut orders = app.orders.write().await;
    let kind = OrderKind::Void(records.as_ref());
    let order = app.store.insert_order(kind, call.incident, until, app.now()).await;
    let order = order?;
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
    Ok(Answer(VoidOrder { order, customers, seconds }, encoding))
}

/// `keys` says whether two people signed it; here is checked that this is what they signed.
async fn approve(app: &App, call: &OrderVoid, order: &str) -> Result<(), Problem> {
    let wrong = |what: String| Problem::bad_request(what);
    let signed: Signed<keys_api::VoidOrder> =
        serde_json::from_str(order).map_err(|e| wrong(format!("not a signed void order: {e}")))?;
    if signed.order.incident != call.incident || signed.order.set_before != call.set_before {
        return Err(wrong("another incident or instant was signed".to_owned()));
    }
    Ok(app.keys.approve_void(signed).await?)
}

/// A set that one person may name: no more than a tenth of the customers.
async fn some(app: &App, roaring: &[u8]) -> Result<RoaringBitmap, Problem> {
    let records = RoaringBitmap::deserialize_from(roaring)
        .map_err(|e| Problem::bad_request(format!("not a Roaring bitmap: {e}")))?;
    let all = app.store.highest_record().await?;
    let most = (u64::from(all) / 10).max(FEW);
    if records.len() > most {
        let what = format!(
            "{} customers are more than the {most} that one person may shut out: have two people \
             sign an order over everybody",
            records.len()
        );
        return Err(Problem::not_granted(what));
    }
    Ok(records)
}
