//! `POST /v1/callers/freeze`: a caller is frozen for an incident.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::CallerName;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{Event, FreezeCaller, Hold, HoldId};

use crate::app::App;
use crate::store;

/// Freezes a caller. The hold is logged first, so that no freeze is without a trace. It answers when the
/// hold counts at every instance.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<FreezeCaller>,
) -> Result<Answer<Hold>, Problem> {
    app.check_controller(&by, "freezing a caller").await?;
    let FreezeCaller { caller, incident, reason } = call;
    if app.roles.is_controller(&caller) {
        return Err(Problem::bad_request("the controller can't freeze itself"));
    }
    if incident == 0 {
        return Err(Problem::bad_request("incident: an incident's number is 1 or more"));
    }
    app.catch_up().await?;
    app.check_known(&caller)?;
    let (hold, reason) = (Hold { incident, hold: HoldId::random(app.rng.as_ref()) }, reason.into());
    take(&app, &caller, hold, (by, reason)).await?;
    app.apply_change().await?;
    Ok(Answer(hold, encoding))
}

/// Takes the hold. If another instance takes one for the same incident at this moment, the hold is
/// logged again as the one that replaces it, so that one order to thaw ends all of the incident.
async fn take(
    app: &App,
    caller: &CallerName,
    hold: Hold,
    (by, reason): (CallerName, String),
) -> Result<(), Problem> {
    loop {
        let replaces = app.shared.holds_of(caller, hold.incident);
        let (of, by, reason, replaced) =
            (caller.clone(), by.clone(), reason.clone(), replaces.clone());
        let event = Event::Held { caller: of, hold, replaces: replaced, by, reason };
        app.write(app.now().await, vec![event]).await?;
        if store::take_hold(&app.db, caller, hold, &replaces).await? {
            return Ok(());
        }
        app.catch_up().await?;
    }
}
