//! `POST /v1/callers/freeze`: a caller gets nothing more, or again.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{Event, FreezeCaller};

use crate::app::App;
use crate::store;

/// The longest reason, in characters.
const MAX_REASON: usize = 500;

/// Freezes or thaws a caller: logged first, so that no freeze is ever without a trace.
pub async fn freeze(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<FreezeCaller>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "freezing a caller").await?;
    if call.reason.trim().is_empty() || call.reason.chars().count() > MAX_REASON {
        return Err(Problem::bad_request(format!("a reason has 1 to {MAX_REASON} characters")));
    }
    if app.is_controller(&call.caller) {
        return Err(Problem::bad_request("the controller can't freeze itself"));
    }
    let FreezeCaller { caller, frozen, reason } = call;
    let event = Event::Froze { caller: caller.clone(), by, frozen, reason };
    app.write(app.now().await, vec![event]).await?;
    store::set_frozen(&app.db, &caller, frozen).await?;
    app.after_change().await?;
    Ok(Answer((), encoding))
}
