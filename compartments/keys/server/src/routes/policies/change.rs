//! `POST /v1/policies/change`: the next policy, which two people signed.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::State;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{ChangePolicy, Event, Order, POLICY_OUTDATED, Policy};

use crate::app::{App, bad_request};
use crate::store;

/// Puts the next policy in force. The change is logged first, so that no policy is without a trace.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<ChangePolicy>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "changing the policy").await?;
    let signed = call.policy;
    let approvers = app.check_signed(&by, &signed).await?;
    let policy = &signed.order;
    policy.check().map_err(|e| bad_request(&e))?;
    let version = app.shared.access().policy.version + 1;
    if policy.version != version {
        let what = format!("the next policy is version {version}; this is {}", policy.version);
        return Err(Problem::new(POLICY_OUTDATED, what));
    }
    let event = Event::PolicyChanged { version, digest: digest_of(policy), approvers };
    app.write(app.now().await, vec![event]).await?;
    if !store::insert_policy(&app.db, &signed).await? {
        return Err(Problem::new(POLICY_OUTDATED, "another policy came first"));
    }
    app.apply_change().await?;
    Ok(Answer((), encoding))
}

/// SHA-256 of the bytes that were signed.
fn digest_of(policy: &Policy) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, &policy.signed_bytes()).as_ref());
    out
}
