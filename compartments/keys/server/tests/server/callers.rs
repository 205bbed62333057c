//! A frozen caller gets nothing, and its attempts are counted on an alarm.

use cofferdam_core::{Field, NO_SUCH_CALLER};
use cofferdam_wire::ProblemType;
use keys_api::{Event, FreezeCaller, ReleaseKeys};

use crate::support::{Keys, ask, events, group, name, refused, until};

fn freeze(caller: &str, frozen: bool) -> FreezeCaller {
    FreezeCaller { caller: name(caller), frozen, reason: "its host fell".parse().unwrap() }
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
async fn the_controller_can_t_be_frozen() {
    let keys = Keys::start().await;
    let own = keys.client("response-1").call(&freeze("response-1", true)).await;
    refused(own, ProblemType::BAD_REQUEST);
}

/// A misspelt name is no order: nothing is logged, and the refusal lists the names that there are.
#[tokio::test]
async fn a_caller_that_nobody_knows_is_not_frozen() {
    let keys = Keys::start().await;
    let response = keys.client("response-1");
    for frozen in [true, false] {
        let typo = response.call(&freeze("web-ky-22", frozen)).await.unwrap_err();
        assert!(typo.is(NO_SUCH_CALLER), "{typo}");
        let names = &typo.problem().unwrap().detail;
        assert!(names.contains("web-ky-1") && names.contains("accounts"), "{names}");
    }
    let logged = events(&keys).await;
    assert!(!logged.iter().any(|event| matches!(event, Event::Froze { .. })), "{logged:?}");
    response.call(&freeze("accounts", true)).await.unwrap();
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
