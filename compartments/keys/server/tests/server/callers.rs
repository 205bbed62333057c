//! A frozen caller gets nothing, and its attempts are counted on an alarm.

use cofferdam_core::Field;
use cofferdam_wire::ProblemType;
use keys_api::{Event, FreezeCaller, ReleaseKeys};

use crate::support::{Keys, ask, events, group, name, refused, until};

fn freeze(caller: &str, frozen: bool) -> FreezeCaller {
    FreezeCaller { caller: name(caller), frozen, reason: "its host fell".into() }
}

#[tokio::test]
async fn a_frozen_caller_gets_nothing_and_others_go_on() {
    let mut keys = Keys::start().await;
    keys.client("response-1").call(&freeze("web-ky-1", true)).await.unwrap();
    for _ in 0..2 {
        assert!(keys.release("web-ky-1", &[1]).await.unwrap_err().is(ProblemType::FROZEN));
        keys.restart().await;
    }
    let narrow = ReleaseKeys { groups: vec![group(&[Field::Name], &[1])], ..ask("web-ky-2", &[1]) };
    keys.client("accounts").call(&narrow).await.unwrap();
    keys.client("response-1").call(&freeze("web-ky-1", false)).await.unwrap();
    assert_eq!(keys.release("web-ky-1", &[1]).await, Ok(1));
    let frozen = |e: &&Event| matches!(e, Event::Froze { .. });
    assert_eq!(events(&keys).await.iter().filter(frozen).count(), 2);
}

#[tokio::test]
async fn a_freeze_has_a_reason_and_the_controller_can_t_be_frozen() {
    let keys = Keys::start().await;
    let response = keys.client("response-1");
    refused(response.call(&freeze("response-1", true)).await, ProblemType::BAD_REQUEST);
    for (reason, taken) in [
        (String::new(), false),
        ("  \t".to_owned(), false),
        ("ü".repeat(500), true),
        ("ü".repeat(501), false),
    ] {
        let freeze = FreezeCaller { reason, ..freeze("web-ky-9", true) };
        assert_eq!(response.call(&freeze).await.is_ok(), taken, "{}", freeze.reason.len());
    }
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
