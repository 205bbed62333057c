//! `POST /v1/warrants/open` and `/close`: leave to read in bulk, signed by two people.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::CallerName;
use cofferdam_wire::{Answer, Body, Caller, Problem, ProblemType};
use keys_api::{AlarmKind, CloseWarrant, Event, OpenWarrant, WarrantId};

use crate::app::App;
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
    let approvers = app.check_signed(&by, &signed, AlarmKind::RefusedWarrant).await?;
    let warrant = &signed.order;
    let now = app.now().await;
    let span = warrant.until.duration_since(warrant.from).as_secs();
    if !(1..=MAX_SECONDS).contains(&span) || now >= warrant.until {
        return Err(refuse(&app, &by, "it must hold for up to a week from now on").await);
    }
    if app.warrants().contains(warrant.id) {
        return Err(refuse(&app, &by, "a warrant with this number was opened before").await);
    }
    let event = Event::WarrantOpened {
        warrant: warrant.id,
        caller: warrant.caller.clone(),
        fields: warrant.fields,
        records: warrant.records,
        approvers,
    };
    app.write(now, vec![event]).await?;
    if !store::insert_warrant(&app.db, &signed).await? {
        return Err(Problem::new(ProblemType::CONFLICT, "another instance opened it first"));
    }
    app.after_change().await?;
    Ok(Answer(signed.order.id, encoding))
}

async fn refuse(app: &App, by: &CallerName, why: &str) -> Problem {
    app.refuse_order(by, AlarmKind::RefusedWarrant, why.to_owned()).await
}

/// Ends a warrant.
pub async fn close(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<CloseWarrant>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "closing a warrant").await?;
    let warrant = call.warrant;
    if !store::close_warrant(&app.db, warrant).await? {
        return Err(Problem::not_found("no such warrant is open"));
    }
    app.after_change().await?;
    app.write(app.now().await, vec![Event::WarrantClosed { warrant, by }]).await?;
    Ok(Answer((), encoding))
}
