//! `POST /v1/policies/change`: the next policy, which two people signed.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::State;
use cofferdam_core::Timestamp;
use cofferdam_wire::{Answer, Body, Caller, Problem};
use keys_api::{ChangePolicy, Event, Order, POLICY_OUTDATED, Policy, WarrantId};

use crate::app::{App, bad_request};
use crate::store;

/// Puts the next policy in force. The change is logged first, so that no policy is without a trace.
pub async fn handle(
    State(app): State<Arc<App>>,
    Caller(by): Caller,
    Body(call, encoding): Body<ChangePolicy>,
) -> Result<Answer<()>, Problem> {
    app.check_controller(&by, "changing the policy").await?;
    app.catch_up().await?;
    let signed = call.policy;
    let approvers = app.check_signed(&by, &signed).await?;
    let policy = &signed.order;
    policy.check().map_err(|e| bad_request(&e))?;
    let version = app.shared.access().policy.version + 1;
    if policy.version != version {
        let what = format!("the next policy is version {version}; this is {}", policy.version);
        return Err(Problem::new(POLICY_OUTDATED, what));
    }
    let now = app.now().await;
    let closing = unsigned_warrants(&app, policy, now).await?;
    let mut events = vec![Event::PolicyChanged { version, digest: digest_of(policy), approvers }];
    let closed = |warrant: &WarrantId| Event::WarrantClosed { warrant: *warrant, by: by.clone() };
    events.extend(closing.iter().map(closed));
    app.write(now, events).await?;
    if !store::insert_policy(&app.db, &signed).await? {
        return Err(Problem::new(POLICY_OUTDATED, "another policy came first"));
    }
    // They are closed already, because their signers are approvers no more. This keeps them closed
    // if a later policy names the signers again.
    for warrant in closing {
        store::close_warrant(&app.db, warrant).await?;
    }
    app.apply_change().await?;
    Ok(Answer((), encoding))
}

/// The open warrants that somebody signed who is no approver in `policy`.
async fn unsigned_warrants(
    app: &App,
    policy: &Policy,
    now: Timestamp,
) -> Result<Vec<WarrantId>, Problem> {
    let open = app.shared.warrants().open(now);
    let judged = store::warrants(&app.db, &policy.approvers).await?;
    let closing = judged.into_iter().filter(|(terms, closed)| *closed && open.contains(&terms.id));
    Ok(closing.map(|(terms, _)| terms.id).collect())
}

/// SHA-256 of the bytes that were signed.
fn digest_of(policy: &Policy) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, &policy.signed_bytes()).as_ref());
    out
}
