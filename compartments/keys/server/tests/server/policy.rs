//! Grants and budgets change only by a policy that two people signed, and then at once.

use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_core::{Field, FieldSet, Operation};
use cofferdam_wire::{CallError, Client, ProblemType};
use keys_api::{
    AlarmKind, Budget, ChangePolicy, Event, ORDER_REFUSED, Order, POLICY_OUTDATED, Policy,
    ReadPolicy, Signed,
};

use crate::support::{Keys, events, fields, name, refused};

async fn change(response: &Client, policy: Signed<Policy>) -> Result<(), CallError> {
    response.call(&ChangePolicy { policy }).await
}

/// The next policy: `web-ky-2` may read e-mail addresses as well, and fewer records in a minute.
fn next(keys: &Keys) -> Policy {
    let mut policy = keys.policy();
    policy.version = 2;
    let web2 = policy.callers.iter_mut().find(|of| of.name == name("web-ky-2")).unwrap();
    for grant in web2.grants.iter_mut().filter(|grant| grant.operation.names_fields()) {
        grant.fields = fields(&[Field::Name, Field::Email]);
    }
    let budget = Budget { minute: 10, hour: 1_000, day: 10_000, burst: 5 };
    web2.budgets.insert(Operation::Release, budget);
    policy
}

#[tokio::test]
async fn a_signed_policy_holds_at_once_and_after_a_restart() {
    let mut keys = Keys::start().await;
    let response = keys.client("response-1");
    assert!(keys.release("web-ky-2", &[1]).await.unwrap_err().is(ProblemType::NOT_GRANTED));
    change(&response, keys.sign(next(&keys))).await.unwrap();
    for first in [0, 10] {
        let records: Vec<u32> = (first..first + 5).collect();
        assert_eq!(keys.release("web-ky-2", &records).await, Ok(5));
        keys.restart().await;
    }
    // The ten records of the minute are used up; the burst gives five more.
    let burst: Vec<u32> = (20..25).collect();
    assert_eq!(keys.release("web-ky-2", &burst).await, Ok(5));
    let spent = keys.release("web-ky-2", &[30]).await.unwrap_err();
    assert!(spent.is(ProblemType::BUDGET_EXHAUSTED));
    assert_eq!(keys.client("response-1").call(&ReadPolicy {}).await.unwrap(), next(&keys));
    let logged = events(&keys).await;
    let changed = logged.iter().find_map(|event| match event {
        Event::PolicyChanged { version, digest, approvers } => {
            Some((*version, *digest, approvers.clone()))
        }
        _ => None,
    });
    let signed = digest(&SHA256, &next(&keys).signed_bytes());
    let (version, logged, approvers) = changed.unwrap();
    assert_eq!((version, logged.as_slice()), (2, signed.as_ref()));
    assert_eq!(approvers, ["ann", "bob"]);
}

#[tokio::test]
async fn a_policy_without_two_signatures_is_refused() {
    let keys = Keys::start().await;
    let response = keys.client("response-1");
    let policy = next(&keys);
    let [ann, bob] = &keys.approvers;
    for signatures in [
        vec![],
        vec![ann.sign(&policy)],
        vec![ann.sign(&policy), ann.sign(&policy)],
        vec![ann.sign(&policy), bob.sign(&keys.policy())],
    ] {
        let changed = change(&response, Signed { order: policy.clone(), signatures }).await;
        refused(changed, ORDER_REFUSED);
    }
    // An approver who is only in the new policy can't sign it.
    let eve = keys_api::ApproverSecret::generate("eve", &cofferdam_core::SystemRng);
    let mut own = policy.clone();
    own.approvers.push(eve.public());
    let signatures = vec![ann.sign(&own), eve.sign(&own)];
    refused(change(&response, Signed { order: own, signatures }).await, ORDER_REFUSED);
    assert!(keys.alarms().await.iter().any(|a| a.kind == AlarmKind::RefusedOrder));
    assert_eq!(response.call(&ReadPolicy {}).await.unwrap(), keys.policy());
}

#[tokio::test]
async fn a_policy_is_used_once_and_must_make_sense() {
    let keys = Keys::start().await;
    let response = keys.client("response-1");
    let skipped = Policy { version: 3, ..next(&keys) };
    refused(change(&response, keys.sign(skipped)).await, POLICY_OUTDATED);
    let mut wrong = next(&keys);
    wrong.callers[0].grants[0].fields = FieldSet::EMPTY;
    refused(change(&response, keys.sign(wrong)).await, ProblemType::BAD_REQUEST);
    change(&response, keys.sign(next(&keys))).await.unwrap();
    refused(change(&response, keys.sign(next(&keys))).await, POLICY_OUTDATED);
    // An old policy can't be put in force again.
    refused(change(&response, keys.sign(keys.policy())).await, POLICY_OUTDATED);
}
