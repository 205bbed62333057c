//! `POST /v1/contain/void`: voids every credential set up to an instant.

use std::sync::Arc;

use accounts_api::{OrderVoid, VoidOrder};
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;
use crate::store::OrderKind;

/// Orders that credentials are void. It holds as soon as the row is on disk; only then they are
/// counted.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<OrderVoid>,
) -> Result<Answer<VoidOrder>, Problem> {
    app.check_controller(&caller)?;
    let until = app.past(call.set_before)?;
    let mut orders = app.orders.write().await;
    let order = app.store.insert_order(OrderKind::Void, call.incident, until, app.now()).await;
    let order = order.map_err(|e| Problem::internal(&e))?;
    orders.void(until);
    drop(orders);
    let customers = app.store.count_set_before(until).await.map_err(|e| Problem::internal(&e))?;
    tracing::info!(order, incident = call.incident, customers, "credentials are void");
    Ok(Answer(VoidOrder { order, customers }, encoding))
}
