//! Warrants: only two approvers can sign one, and each is used up.

use cofferdam_core::{Clock, SystemRng};
use cofferdam_wire::ProblemType;
use jiff::SignedDuration;
use keys_api::{
    AlarmKind, ApproverSecret, ChangePolicy, CloseWarrant, Event, OpenWarrant, Policy, ReleaseKeys,
    Signed, Warrant, WarrantId,
};

use crate::support::{Keys, ask, events, refused, warrant};

#[tokio::test]
async fn a_fallen_response_cannot_grant_itself_a_warrant() {
    let keys = Keys::start().await;
    let response = keys.client("response-1");
    let [ann, bob] = &keys.approvers;
    let warrant = warrant(&keys, 100);
    for signatures in [
        vec![],
        vec![ann.sign(&warrant)],
        vec![ann.sign(&warrant), ann.sign(&warrant)],
        vec![ann.sign(&Warrant { records: 1, ..warrant.clone() }), bob.sign(&warrant)],
    ] {
        let warrant = Signed { order: warrant.clone(), signatures };
        refused(response.call(&OpenWarrant { warrant }).await, ProblemType::WARRANT_REFUSED);
    }
    assert!(keys.alarms().await.iter().any(|a| a.kind == AlarmKind::RefusedWarrant));
    let draw = ReleaseKeys { warrant: Some(warrant.id), ..ask("response-1", &[1]) };
    refused(keys.client("accounts").call(&draw).await, ProblemType::WARRANT_REFUSED);
}

#[tokio::test]
async fn a_warrant_is_drawn_down_leaves_decoys_out_and_survives_a_restart() {
    let mut keys = Keys::start().await;
    let decoy = keys.decoys(1_000).await[0];
    let people: Vec<u32> = (0..1_000).filter(|r| *r != decoy.0).take(5).collect();

    let warrant = warrant(&keys, 4);
    let id = warrant.id;
    let open = OpenWarrant { warrant: keys.sign(warrant) };
    assert_eq!(keys.client("response-1").call(&open).await.unwrap(), id);
    refused(keys.client("response-1").call(&open).await, ProblemType::WARRANT_REFUSED);

    let mut wanted = vec![people[0], people[1], decoy.0];
    wanted.sort_unstable();
    let draw = |records: &[u32]| ReleaseKeys { warrant: Some(id), ..ask("response-1", records) };
    let released = keys.client("accounts").call(&draw(&wanted)).await.unwrap();
    assert_eq!((released.groups[0].records.len(), released.decoys), (2, vec![decoy]));
    keys.restart().await;
    keys.client("accounts").call(&draw(&people[2..3])).await.unwrap();
    let used_up = keys.client("accounts").call(&draw(&people[3..4])).await;
    refused(used_up, ProblemType::WARRANT_REFUSED);
    keys.client("accounts").call(&draw(&people[..3])).await.unwrap();
    assert!(!keys.alarms().await.iter().any(|a| a.kind == AlarmKind::Decoy));

    keys.client("response-1").call(&CloseWarrant { warrant: id }).await.unwrap();
    keys.client("accounts").call(&draw(&people[..1])).await.unwrap_err();
}

/// `accounts` asks for the keys, so it must not learn more decoys from a warrant than letters need.
#[tokio::test]
async fn a_warrant_tells_decoys_of_its_own_records_and_few_of_them_again() {
    let keys = Keys::start().await;
    let decoys: Vec<u32> = keys.decoys(1_000).await.iter().map(|decoy| decoy.0).collect();
    let order = warrant(&keys, u32::try_from(decoys.len() - 1).unwrap());
    let id = order.id;
    let open = OpenWarrant { warrant: keys.sign(order) };
    keys.client("response-1").call(&open).await.unwrap();
    let draw = |records: &[u32]| ReleaseKeys { warrant: Some(id), ..ask("response-1", records) };
    let accounts = keys.client("accounts");
    refused(accounts.call(&draw(&decoys)).await, ProblemType::WARRANT_REFUSED);
    let covered = &decoys[1..];
    assert_eq!(accounts.call(&draw(covered)).await.unwrap().decoys.len(), covered.len());
    refused(accounts.call(&draw(&decoys[..1])).await, ProblemType::WARRANT_REFUSED);
    let mut again = 0;
    let told = loop {
        match accounts.call(&draw(covered)).await {
            Ok(answer) => again += answer.decoys.len(),
            told => break told,
        }
    };
    refused(told, ProblemType::WARRANT_REFUSED);
    assert!(again > 0, "a mailing that was interrupted resumes");
    keys.rings(AlarmKind::DecoyProbe).await;
}

#[tokio::test]
async fn a_warrant_holds_for_a_week_at_most_and_in_its_time() {
    let mut keys = Keys::start().await;
    let now = keys.clock.now();
    let hours = |from, until| {
        let [from, until] = [from, until].map(|h| now + SignedDuration::from_hours(h));
        Warrant { from, until, ..warrant(&keys, 1) }
    };
    let open = async |order| {
        let warrant = keys.sign(order);
        keys.client("response-1").call(&OpenWarrant { warrant }).await
    };
    for bad in [hours(0, 7 * 24 + 1), hours(2, 1), hours(-2, 0)] {
        refused(open(bad).await, ProblemType::WARRANT_REFUSED);
    }
    let id: WarrantId = open(hours(1, 2)).await.unwrap();
    let draw = ReleaseKeys { warrant: Some(id), ..ask("response-1", &[1]) };
    refused(keys.client("accounts").call(&draw).await, ProblemType::WARRANT_REFUSED);
    keys.clock.advance(SignedDuration::from_hours(1));
    keys.client("accounts").call(&draw).await.unwrap();
    keys.clock.advance(SignedDuration::from_hours(1));
    keys.restart().await;
    refused(keys.client("accounts").call(&draw).await, ProblemType::WARRANT_REFUSED);
}

/// The log knows the drawn records, so an older copy of the database gives none back.
#[tokio::test]
async fn a_warrant_stays_drawn_when_an_older_database_is_put_back() {
    let mut keys = Keys::start().await;
    let decoys = keys.decoys(200).await;
    let people: Vec<u32> =
        (0..200).filter(|n| !decoys.iter().any(|decoy| decoy.0 == *n)).take(3).collect();
    let open = |keys: &Keys, order: Warrant| OpenWarrant { warrant: keys.sign(order) };
    let order = warrant(&keys, 2);
    let before = open(&keys, order.clone());
    let id = keys.client("response-1").call(&before).await.unwrap();
    let draw = |records: &[u32]| ReleaseKeys { warrant: Some(id), ..ask("response-1", records) };
    let older = keys.copy_database().await;
    keys.client("accounts").call(&draw(&people[..2])).await.unwrap();
    keys.put_back_database(&older).await;
    let more = keys.client("accounts").call(&draw(&people[2..])).await;
    refused(more, ProblemType::WARRANT_REFUSED);

    // The copy does not know the warrant. It is handed in again, and its drawn records still count.
    let order = warrant(&keys, 2);
    let (id, later) = (order.id, open(&keys, order));
    let draw = |records: &[u32]| ReleaseKeys { warrant: Some(id), ..ask("response-1", records) };
    let older = keys.copy_database().await;
    keys.client("response-1").call(&later).await.unwrap();
    keys.client("accounts").call(&draw(&people[..1])).await.unwrap();
    keys.put_back_database(&older).await;
    refused(keys.client("accounts").call(&draw(&people[..1])).await, ProblemType::WARRANT_REFUSED);
    keys.client("response-1").call(&later).await.unwrap();
    keys.client("accounts").call(&draw(&people[1..2])).await.unwrap();
    let more = keys.client("accounts").call(&draw(&people[2..])).await;
    refused(more, ProblemType::WARRANT_REFUSED);
    keys.stop().await;
}

/// A warrant ends with its signers: if one is no approver any more, it is closed, and it stays
/// closed if a later policy names the person again.
#[tokio::test]
async fn a_warrant_is_closed_with_its_signer() {
    let mut keys = Keys::start().await;
    let warrant = warrant(&keys, 3);
    let id = warrant.id;
    let open = OpenWarrant { warrant: keys.sign(warrant) };
    keys.client("response-1").call(&open).await.unwrap();
    let decoys = keys.decoys(100).await;
    let person = (0..100).find(|n| !decoys.iter().any(|decoy| decoy.0 == *n)).unwrap();
    let draw = ReleaseKeys { warrant: Some(id), ..ask("response-1", &[person]) };
    keys.client("accounts").call(&draw).await.unwrap();

    let eve = ApproverSecret::generate("eve", &SystemRng);
    let (first, [ann, bob]) = (keys.policy(), &keys.approvers);
    let without_bob =
        Policy { version: 2, approvers: vec![ann.public(), eve.public()], ..first.clone() };
    let signatures = vec![ann.sign(&without_bob), bob.sign(&without_bob)];
    let policy = Signed { order: without_bob, signatures };
    keys.client("response-1").call(&ChangePolicy { policy }).await.unwrap();
    refused(keys.client("accounts").call(&draw).await, ProblemType::WARRANT_REFUSED);
    let logged = events(&keys).await;
    assert!(
        logged
            .iter()
            .any(|of| matches!(of, Event::WarrantClosed { warrant, .. } if *warrant == id))
    );

    let with_bob = Policy { version: 3, ..first };
    let signatures = vec![ann.sign(&with_bob), eve.sign(&with_bob)];
    let policy = Signed { order: with_bob, signatures };
    keys.client("response-1").call(&ChangePolicy { policy }).await.unwrap();
    refused(keys.client("accounts").call(&draw).await, ProblemType::WARRANT_REFUSED);
    keys.restart().await;
    refused(keys.client("accounts").call(&draw).await, ProblemType::WARRANT_REFUSED);
}
