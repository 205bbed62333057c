//! `POST /v1/sessions/revoke`: every session that was opened up to an instant ends.

use std::sync::Arc;

use accounts_api::RevokeSessions;
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};

use crate::app::{App, bad_request, whole_milliseconds};
use crate::domain::orders;
use crate::store::OrderKind;

/// Revokes sessions. The order holds as soon as its row is on disk. The sessions are counted after
/// that.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<RevokeSessions>,
) -> Result<Answer<u64>, Problem> {
    app.check_controller(&caller)?;
    let until = orders::past(call.opened_before, app.clock.now()).map_err(|e| bad_request(&e))?;
    let (until, now) = (whole_milliseconds(until), app.now());
    let mut in_force = app.orders.write().await;
    let order = app.store.insert_order(OrderKind::Revoke, call.incident, until, now).await?;
    let revoked_before = in_force.revoked_until;
    in_force.revoke(until);
    drop(in_force);
    let ended = app.store.count_sessions(revoked_before, until, now).await?;
    tracing::info!(order, incident = call.incident, ended, "sessions are revoked");
    Ok(Answer(ended, encoding))
}
