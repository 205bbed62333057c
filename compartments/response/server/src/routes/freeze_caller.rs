//! `POST /v1/contain/freeze`: a caller gets nothing more anywhere, or again.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_wire::{Answer, Body, CallError, Caller, Problem, ProblemKind};
use response_api::FreezeCaller;

use crate::app::App;

/// Freezes or thaws a caller in every compartment: all three are asked whatever the others say.
pub async fn freeze(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<FreezeCaller>,
) -> Result<Answer<()>, Problem> {
    app.check_staff(&by)?;
    app.incident(call.incident).await?;
    if call.reason.trim().is_empty() {
        return Err(Problem::bad_request("a freeze takes a reason"));
    }
    let action = if call.frozen { "freeze" } else { "thaw" };
    let detail = format!("{}: {}", call.caller, call.reason);
    app.journal(call.incident, &by, action, &detail).await?;

    let FreezeCaller { caller, frozen, reason, .. } = call;
    let keys = keys_api::FreezeCaller { caller: caller.clone(), frozen, reason: reason.clone() };
    let accounts =
        accounts_api::FreezeCaller { caller: caller.clone(), frozen, reason: reason.clone() };
    let payments = payments_api::FreezeCaller { caller, frozen, reason };
    let answers: [(&str, Result<(), CallError>); 3] = [
        ("keys", app.keys.call(&keys).await),
        ("accounts", app.accounts.call(&accounts).await),
        ("payments", app.payments.call(&payments).await),
    ];
    let failed: Vec<String> = answers
        .into_iter()
        .filter_map(|(who, answer)| answer.err().map(|e| format!("{who} ({e})")))
        .collect();
    if failed.is_empty() {
        return Ok(Answer((), encoding));
    }
    let what = format!("not done in {}; done elsewhere; ask again", failed.join(", "));
    Err(Problem::new(ProblemKind::Upstream, what))
}
