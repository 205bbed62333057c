//! `POST /v1/callers/freeze`: a caller is frozen or thawed.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{Event, FreezeCaller};

use crate::app::App;
use crate::store;

/// Freezes or thaws a caller. The change is logged first, so that no freeze is without a trace.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<FreezeCaller>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "freezing a caller").await?;
    if app.roles.is_controller(&call.caller) {
        return Err(Problem::bad_request("the controller can't freeze itself"));
    }
    app.check_known(&call.caller)?;
    let FreezeCaller { caller, frozen, reason } = call;
    let event = Event::Froze { caller: caller.clone(), by, frozen, reason: reason.into() };
    app.write(app.now().await, vec![event]).await?;
    store::set_frozen(&app.db, &caller, frozen).await?;
    app.apply_change().await?;
    Ok(Answer((), encoding))
}
