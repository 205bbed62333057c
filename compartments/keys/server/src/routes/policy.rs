//! `POST /v1/policy/read` and `/change`: grants and budgets.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem, ProblemType};
use keys_api::{AlarmKind, ChangePolicy, Event, Order, Policy, ReadPolicy};

use crate::app::App;
use crate::store;

/// The policy in force.
pub async fn read(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(_, encoding): Body<ReadPolicy>,
) -> Result<Answer<Policy>, Problem> {
    app.check_controller(&by, "reading the policy").await?;
    Ok(Answer(app.access().policy.clone(), encoding))
}

/// Puts the next policy in force. Logged first, so that none holds without a trace.
pub async fn change(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<ChangePolicy>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "changing the policy").await?;
    let signed = call.policy;
    let approvers = app.check_signed(&by, &signed, AlarmKind::RefusedOrder).await?;
    let policy = &signed.order;
    policy.check().map_err(|e| Problem::bad_request(e.to_string()))?;
    let next = app.access().policy.version + 1;
    if policy.version != next {
        let what = format!("the next policy is version {next}; this is {}", policy.version);
        return Err(Problem::new(ProblemType::CONFLICT, what));
    }
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest(&SHA256, &policy.signed_bytes()).as_ref());
    let event = Event::PolicyChanged { version: next, digest: sha256, approvers };
    app.write(app.now().await, vec![event]).await?;
    if !store::insert_policy(&app.db, &signed).await? {
        return Err(Problem::new(ProblemType::CONFLICT, "another policy came first"));
    }
    app.after_change().await?;
    Ok(Answer((), encoding))
}
