//! `POST /v1/contain/freeze`: refuses a caller everything, or no longer.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem, ProblemType};
use payments_api::FreezeCaller;

use crate::app::App;

/// The longest reason, in characters.
const MAX_REASON: usize = 500;

/// Freezes or thaws a caller.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    Body(call, encoding): Body<FreezeCaller>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&caller)?;
    if call.reason.chars().count() > MAX_REASON {
        return Err(Problem::bad_request(format!("a reason has at most {MAX_REASON} characters")));
    }
    if app.is_controller(&call.caller) {
        let detail = "the controller can't be frozen: nobody could thaw it";
        return Err(Problem::new(ProblemType::CONFLICT, detail));
    }
    let now = app.clock.now();
    let kept = app.store.set_frozen(&call.caller, call.frozen, &call.reason, now).await;
    kept?;
    tracing::warn!(caller = %call.caller, frozen = call.frozen, "a caller was frozen or thawed");
    app.set_frozen(call.caller, call.frozen);
    Ok(Answer((), encoding))
}
