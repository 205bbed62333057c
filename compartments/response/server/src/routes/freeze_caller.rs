//! `POST /v1/contain/freeze`: a caller gets nothing more anywhere, or again.

use std::sync::Arc;

use axum::extract::State;
use cofferdam_core::CallerName;
use cofferdam_store::StoreError;
use cofferdam_wire::{Answer, Body, CallError, Problem, ProblemType, to_the_end};
use response_api::FreezeCaller;

use crate::app::App;
use crate::staff::Staff;
use crate::store::Kind;

/// Freezes or thaws a caller in every compartment: all three are asked whatever the others say.
pub async fn freeze(
    State(app): State<Arc<App>>,
    Staff(by): Staff,
    Body(call, encoding): Body<FreezeCaller>,
) -> Result<Answer<()>, Problem> {
    app.incident(call.incident).await?;
    if call.reason.trim().is_empty() {
        return Err(Problem::bad_request("a freeze takes a reason"));
    }
    let action = if call.frozen { "freeze" } else { "thaw" };
    let detail = format!("{}: {}", call.caller, call.reason);
    app.journal(call.incident, &by, action, &detail).await?;

    // On a task of its own: who asked may go away, the freeze must not stop half-way.
    let (worker, order) = (app.clone(), call.clone());
    let answers = to_the_end(async move { everywhere(&worker, order).await });
    let answers = answers.await?;
    let failed: Vec<String> = answers
        .into_iter()
        .filter_map(|(who, answer)| answer.err().map(|e| format!("{who} ({e})")))
        .collect();
    if !failed.is_empty() {
        let what = format!("not done in {}; done elsewhere; ask again", failed.join(", "));
        return Err(Problem::new(ProblemType::UPSTREAM, what));
    }
    note_frozen(&app, call).await?;
    Ok(Answer((), encoding))
}

/// Asks all three at once: none waits for another that hangs.
async fn everywhere(app: &App, call: FreezeCaller) -> [(&'static str, Result<(), CallError>); 3] {
    let FreezeCaller { caller, frozen, reason, .. } = call;
    let keys = keys_api::FreezeCaller { caller: caller.clone(), frozen, reason: reason.clone() };
    let accounts =
        accounts_api::FreezeCaller { caller: caller.clone(), frozen, reason: reason.clone() };
    let payments = payments_api::FreezeCaller { caller, frozen, reason };
    let (keys, accounts, payments) = tokio::join!(
        app.keys.call(&keys),
        app.accounts.call(&accounts),
        app.payments.call(&payments)
    );
    [("keys", keys), ("accounts", accounts), ("payments", payments)]
}

/// Keeps who is frozen for this incident: letters say that a server is shut off only when it is.
async fn note_frozen(app: &App, call: FreezeCaller) -> Result<(), StoreError> {
    let before = app.store.finding::<Vec<CallerName>>(call.incident, Kind::Frozen).await?;
    let mut frozen = before.unwrap_or_default();
    frozen.retain(|caller| *caller != call.caller);
    if call.frozen {
        frozen.push(call.caller);
    }
    app.store.set_finding(call.incident, Kind::Frozen, &frozen).await
}
