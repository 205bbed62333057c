//! `POST /v1/contain/void`: every credential is void and every session over, by one order each.

use std::sync::Arc;
use std::time::Instant;

use accounts_api::{OrderVoid, RevokeSessions};
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Problem};
use response_api::{IncidentId, VoidCredentials, Voided};

use crate::app::App;
use crate::staff::{Author, Staff};
use crate::store::Kind;

/// Voids the credentials of all customers. Asked again, it says what the first order did: a
/// second one would void what customers have reset since.
pub async fn void(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<VoidCredentials>,
) -> Result<Answer<Voided>, Problem> {
    app.incident(call.incident).await?;
    // On a task of its own, one at a time: who asked may go away, or ask twice.
    let voided = tokio::spawn(async move { void_once(&app, call.incident, &by).await });
    let voided = voided.await.map_err(|e| Problem::internal(&e))??;
    Ok(Answer(voided, encoding))
}

async fn void_once(app: &App, incident: IncidentId, by: &Author) -> Result<Voided, Problem> {
    let _one_at_a_time = app.voiding.lock().await;
    let before = app.store.finding::<Voided>(incident, Kind::Voided).await;
    if let Some(voided) = before.map_err(|e| Problem::internal(&e))? {
        return Ok(voided);
    }
    let started = Instant::now();
    let now = app.now();
    app.journal(incident, by, "void", "credentials of all customers, and all sessions").await?;
    let order = app.accounts.call(&OrderVoid { incident: incident.0, set_before: now }).await?;
    let revoke = RevokeSessions { incident: incident.0, opened_before: now };
    let sessions = app.accounts.call(&revoke).await?;
    let voided = Voided {
        order: order.order,
        customers: order.customers,
        sessions,
        seconds: started.elapsed().as_secs_f64(),
    };
    let kept = app.store.set_finding(incident, Kind::Voided, &voided).await;
    kept.map_err(|e| Problem::internal(&e))?;
    Ok(voided)
}
