//! `POST /v1/warrants/open` and `/close`: leave to read in bulk, signed by two people.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem, ProblemKind};
use keys_api::{AlarmKind, CloseWarrant, Event, OpenWarrant, WarrantId};

use super::app::App;
use crate::store;

/// The longest time that a warrant holds, in seconds: a week.
const MAX_SECONDS: i64 = 7 * 24 * 3_600;

/// Opens a warrant after checking both signatures here: whoever hands it in can't make one up.
pub async fn open(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<OpenWarrant>,
) -> Result<Answer<WarrantId>, Problem> {
    app.check_controller(&by, "opening a warrant").await?;
    let signed = call.warrant;
    let warrant = &signed.warrant;
    let approvers = match signed.verify(&app.approvers) {
        Ok(approvers) => approvers,
        Err(e) => return Err(refuse(&app, &by, e.to_string()).await),
    };
    let span = warrant.until.duration_since(warrant.from).as_secs();
    if !(1..=MAX_SECONDS).contains(&span) || app.clock.now() >= warrant.until {
        return Err(refuse(&app, &by, "it must hold for up to a week from now on".into()).await);
    }
    if app.warrants().contains(warrant.id) {
        return Err(refuse(&app, &by, "a warrant with this number was opened before".into()).await);
    }
    let event = Event::WarrantOpened {
        warrant: warrant.id,
        caller: warrant.caller.clone(),
        fields: warrant.fields,
        records: warrant.records,
        approvers,
    };
    app.write(app.clock.now(), event).await?;
    store::insert_warrant(&app.db, &signed).await.map_err(|e| Problem::internal(&e))?;
    let id = warrant.id;
    app.warrants().insert(signed.warrant, false);
    Ok(Answer(id, encoding))
}

async fn refuse(app: &App, by: &cofferdam_core::CallerName, why: String) -> Problem {
    app.alarms.ring(AlarmKind::RefusedWarrant, Some(by), format!("{by}: {why}")).await;
    Problem::new(ProblemKind::WarrantRefused, why)
}

/// Ends a warrant.
pub async fn close(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<CloseWarrant>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "closing a warrant").await?;
    let warrant = call.warrant;
    if !app.warrants().close(warrant) {
        return Err(Problem::not_found("no such warrant is open"));
    }
    store::close_warrant(&app.db, warrant).await.map_err(|e| Problem::internal(&e))?;
    app.write(app.clock.now(), Event::WarrantClosed { warrant, by }).await?;
    Ok(Answer((), encoding))
}
