//! `POST /v1/contain/void`: every credential is void and every session over, by one order each.

use std::sync::Arc;
use std::time::Instant;

use accounts_api::{OrderVoid, RevokeSessions};
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use response_api::{VoidCredentials, Voided};

use crate::app::App;
use crate::store::Kind;

/// Voids the credentials of all customers. Asked again, it says what the first order did: a
/// second one would void what customers have reset since.
pub async fn void(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<VoidCredentials>,
) -> Result<Answer<Voided>, Problem> {
    app.check_staff(&by)?;
    app.incident(call.incident).await?;
    let before = app.store.finding::<Voided>(call.incident, Kind::Voided).await;
    if let Some(voided) = before.map_err(|e| Problem::internal(&e))? {
        return Ok(Answer(voided, encoding));
    }
    let started = Instant::now();
    let (incident, now) = (call.incident.0, app.now());
    app.journal(call.incident, &by, "void", "credentials of all customers, and all sessions")
        .await?;
    let order = app.accounts.call(&OrderVoid { incident, set_before: now }).await?;
    let sessions = app.accounts.call(&RevokeSessions { incident, opened_before: now }).await?;
    let voided = Voided {
        order: order.order,
        customers: order.customers,
        sessions,
        seconds: started.elapsed().as_secs_f64(),
    };
    let kept = app.store.set_finding(call.incident, Kind::Voided, &voided).await;
    kept.map_err(|e| Problem::internal(&e))?;
    Ok(Answer(voided, encoding))
}
