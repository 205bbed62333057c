//! A frozen caller gets nothing, and its attempts are counted on an alarm.

use cofferdam_core::{Field, NO_SUCH_CALLER};
use cofferdam_wire::ProblemType;
use jiff::SignedDuration;
use keys_api::{
    AlarmKind, CheckCaller, Event, FreezeCaller, HoldId, NO_SUCH_HOLD, ORDER_REFUSED, ReadHolds,
    ReleaseKeys, Signature, ThawCaller, ThawOrder,
};

use crate::support::{Keys, ask, events, freeze, group, name, refused, until};

#[tokio::test]
async fn a_frozen_caller_gets_nothing_and_others_go_on() {
    let mut keys = Keys::start().await;
    keys.client("response-1").call(&freeze("web-ky-1")).await.unwrap();
    for _ in 0..2 {
        assert!(keys.release("web-ky-1", &[1]).await.unwrap_err().is(ProblemType::FROZEN));
        keys.restart().await;
    }
    let narrow = ReleaseKeys { groups: vec![group(&[Field::Name], &[1])], ..ask("web-ky-2", &[1]) };
    keys.client("accounts").call(&narrow).await.unwrap();
    assert_eq!(keys.thaw("web-ky-1", 1).await, []);
    assert_eq!(keys.release("web-ky-1", &[1]).await, Ok(1));
    let logged = events(&keys).await;
    assert_eq!(logged.iter().filter(|e| matches!(e, Event::Held { .. })).count(), 1);
    let signed = |e: &&Event| matches!(e, Event::LetGo { approvers, .. } if approvers == &["ann"]);
    assert_eq!(logged.iter().filter(signed).count(), 1);
}

#[tokio::test]
async fn a_caller_that_two_incidents_hold_is_thawed_when_both_let_go_over_restarts() {
    let mut keys = Keys::start().await;
    let older = keys.copy_database().await;
    for incident in [1, 2] {
        let freeze = FreezeCaller { incident, ..freeze("web-ky-1") };
        keys.client("response-1").call(&freeze).await.unwrap();
    }
    let left: Vec<_> = keys.thaw("web-ky-1", 1).await.iter().map(|of| of.incident).collect();
    assert_eq!(left, [2]);
    keys.put_back_database(&older).await;
    let refused = keys.release("web-ky-1", &[1]).await.unwrap_err();
    assert!(refused.is(ProblemType::FROZEN), "the log knows the hold");
    assert_eq!(keys.thaw("web-ky-1", 2).await, [], "the log knows who let go");
    assert_eq!(keys.release("web-ky-1", &[1]).await, Ok(1));
    keys.stop().await;
}

/// The certificate of `response` freezes, and thaws nobody.
#[tokio::test]
async fn a_thaw_takes_the_signature_of_an_approver_over_this_hold() {
    let keys = Keys::start().await;
    let response = keys.client("response-1");
    response.call(&freeze("web-ky-1")).await.unwrap();
    response.call(&FreezeCaller { incident: 2, ..freeze("web-ky-1") }).await.unwrap();
    let good = keys.thaw_order("web-ky-1", 1).await;
    let thaw = async |order| response.call(&ThawCaller { order }).await;

    let mut nobody = good.clone();
    nobody.signatures.clear();
    let mut stranger = good.clone();
    stranger.signatures[0] = Signature { approver: "eve".to_owned(), ..good.signatures[0].clone() };
    let mut other = good.clone();
    other.order.incident = 2;
    for bad in [nobody, stranger, other] {
        refused(thaw(bad).await, ORDER_REFUSED);
    }
    assert!(keys.alarms().await.iter().any(|alarm| alarm.kind == AlarmKind::RefusedOrder));
    // A signer takes the wrong hold: that of another incident, or one that there never was.
    let second = keys.thaw_order("web-ky-1", 2).await.order.hold;
    for hold in [second, HoldId(7), HoldId::BEFORE] {
        let order = ThawOrder { hold, ..good.order.clone() };
        let signatures = vec![keys.approvers[0].sign(&order)];
        refused(thaw(keys_api::Signed { order, signatures }).await, NO_SUCH_HOLD);
    }
    assert_eq!(thaw(good.clone()).await.unwrap().len(), 1);

    // The order is replayed after a new freeze, and much later.
    response.call(&freeze("web-ky-1")).await.unwrap();
    assert_eq!(thaw(good.clone()).await.unwrap().len(), 2, "nothing was thawed");
    keys.clock.advance(SignedDuration::from_hours(2));
    refused(thaw(good).await, ORDER_REFUSED);
    let read = ReadHolds { caller: name("web-ky-1") };
    let held: Vec<_> = response.call(&read).await.unwrap().iter().map(|of| of.incident).collect();
    assert_eq!(held, [1, 2]);
}

#[tokio::test]
async fn the_controller_can_t_be_frozen_and_an_incident_has_a_number() {
    let keys = Keys::start().await;
    let response = keys.client("response-1");
    refused(response.call(&freeze("response-1")).await, ProblemType::BAD_REQUEST);
    let none = FreezeCaller { incident: 0, ..freeze("web-ky-1") };
    refused(response.call(&none).await, ProblemType::BAD_REQUEST);
}

/// The log is read from the first entry on that the database does not know.
#[tokio::test]
async fn a_database_of_any_age_thaws_nobody() {
    let mut keys = Keys::start().await;
    let backup = keys.copy_database().await;
    keys.client("response-1").call(&freeze("web-ky-1")).await.unwrap();
    for _ in 0..4 {
        keys.clock.advance(SignedDuration::from_hours(24 * 10));
        keys.restart().await;
    }
    keys.put_back_database(&backup).await;
    let refused = keys.release("web-ky-1", &[1]).await.unwrap_err();
    assert!(refused.is(ProblemType::FROZEN), "{refused}");
}

/// A misspelt name is no order: nothing is logged, and the refusal lists the names that there are.
#[tokio::test]
async fn a_caller_that_nobody_knows_is_not_frozen() {
    let keys = Keys::start().await;
    let response = keys.client("response-1");
    let typo = response.call(&freeze("web-ky-22")).await.unwrap_err();
    assert!(typo.is(NO_SUCH_CALLER), "{typo}");
    let names = &typo.problem().unwrap().detail;
    assert!(names.contains("web-ky-1") && names.contains("accounts"), "{names}");
    let check = |caller: &str| CheckCaller { caller: name(caller) };
    assert!(response.call(&check("web-ky-22")).await.unwrap_err().is(NO_SUCH_CALLER));
    for known in ["web-ky-1", "accounts"] {
        response.call(&check(known)).await.unwrap();
    }
    let logged = events(&keys).await;
    assert!(!logged.iter().any(|event| matches!(event, Event::Held { .. })), "{logged:?}");
    response.call(&freeze("accounts")).await.unwrap();
}

#[tokio::test]
async fn repeats_are_counted_on_one_alarm() {
    let keys = Keys::start().await;
    for _ in 0..20 {
        keys.release("web-ky-2", &[1]).await.unwrap_err();
    }
    until(async || {
        let counts: Vec<_> = keys.alarms().await.iter().map(|a| a.count).collect();
        counts == [20]
    })
    .await;
}
