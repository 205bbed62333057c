//! `POST /v1/contain/void`: credentials are void and sessions over, by one order each.

use std::sync::Arc;

use accounts_api as accounts;
use accounts_api::RevokeSessions;
use axum::extract::State;
use cofferdam_core::Domain;
use cofferdam_wire::{Answer, Body, Problem, to_the_end};
use response_api::{IncidentId, Level, VoidCredentials, VoidWhose, Voided};
use roaring::RoaringBitmap;

use crate::app::App;
use crate::domain::scope::people;
use crate::staff::{Author, Staff};
use crate::store::{Kind, bytes_of};

/// Voids credentials: on a task of its own, one at a time, since who asked may go away, or ask
/// twice.
pub async fn void(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<VoidCredentials>,
) -> Result<Answer<Voided>, Problem> {
    app.incident(call.incident).await?;
    let VoidCredentials { incident, whose } = call;
    let voided = to_the_end(async move {
        let _one_at_a_time = app.voiding.lock().await;
        match whose {
            VoidWhose::Everybody { order, set_before, break_glass } => {
                let whose = accounts::VoidWhose::Everybody { order: order.to_string() };
                let order = accounts::VoidCredentials { incident: incident.0, set_before, whose };
                everybody(&app, incident, &by, order, break_glass).await
            }
            VoidWhose::Exposed => {
                let records = exposed(&app, incident).await?;
                some(&app, incident, &by, records, "everybody exposed").await
            }
            VoidWhose::Only { records } => {
                let records = records.iter().map(|record| record.0).collect();
                some(&app, incident, &by, records, "those named").await
            }
        }
    });
    let voided = voided.await??;
    Ok(Answer(voided, encoding))
}

/// Asked again, it says what the first order did: a second one would void what customers have
/// reset since.
async fn everybody(
    app: &App,
    incident: IncidentId,
    by: &Author,
    order: accounts::VoidCredentials,
    break_glass: Option<String>,
) -> Result<Voided, Problem> {
    let before = app.store.finding::<Voided>(incident, Kind::Voided).await;
    if let Some(voided) = before? {
        return Ok(voided);
    }
    let glass = break_glass.map_or_else(String::new, |reason| format!("; glass broken: {reason}"));
    let detail = format!("credentials set up to {} and all sessions{glass}", order.set_before);
    app.journal(incident, by, "void", &detail).await?;
    let order = app.accounts.call(&order).await?;
    let revoke = RevokeSessions { incident: incident.0, opened_before: app.now() };
    let sessions = app.accounts.call(&revoke).await?;
    let voided =
        Voided { order: order.order, customers: order.customers, sessions, seconds: order.seconds };
    let kept = app.store.set_finding(incident, Kind::Voided, &voided).await;
    kept?;
    Ok(voided)
}

async fn some(
    app: &App,
    incident: IncidentId,
    by: &Author,
    records: RoaringBitmap,
    who: &str,
) -> Result<Voided, Problem> {
    if records.is_empty() {
        return Err(Problem::bad_request("there is nobody to void"));
    }
    let detail = format!("credentials and sessions of {who}: {} customers", records.len());
    app.journal(incident, by, "void.some", &detail).await?;
    let roaring = bytes_of(&records)?;
    let whose = accounts::VoidWhose::Only { roaring };
    let order = accounts::VoidCredentials { incident: incident.0, set_before: app.now(), whose };
    let order = app.accounts.call(&order).await?;
    Ok(Voided {
        order: order.order,
        customers: order.customers,
        sessions: 0,
        seconds: order.seconds,
    })
}

/// Who is exposed, as far as it was computed.
async fn exposed(app: &App, incident: IncidentId) -> Result<RoaringBitmap, Problem> {
    let exposure = app.exposure(incident).await?;
    let levels = app.exposed(incident, exposure.computed).await;
    let levels = levels?;
    let known = levels.iter().filter(|(level, _)| *level != Level::Reachable);
    Ok(known.fold(RoaringBitmap::new(), |all, (_, of)| all | people(of, Domain::Accounts)))
}
