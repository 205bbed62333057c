//! `POST /v1/contain/revoke`: ends every session opened up to an instant.

use std::sync::Arc;

use accounts_api::RevokeSessions;
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::App;
use crate::store::OrderKind;

/// Orders that sessions end. It holds as soon as the row is on disk; only then they are counted.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<RevokeSessions>,
) -> Result<Answer<u64>, Problem> {
    app.check_controller(&caller)?;
    let until = app.past(call.opened_before)?;
    let now = app.now();
    let mut orders = app.orders.write().await;
    let order = app.store.insert_order(OrderKind::Revoke, call.incident, until, now).await;
    let order = order?;
    let ended_before = orders.revoked_until;
    orders.revoke(until);
    drop(orders);
    let ended = app.store.count_sessions(ended_before, until, now).await;
    let ended = ended?;
    tracing::info!(order, incident = call.incident, ended, "sessions are revoked");
    Ok(Answer(ended, encoding))
}
