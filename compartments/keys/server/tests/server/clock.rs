//! A clock that is moved opens no budget.

use cofferdam_wire::ProblemType;
use jiff::SignedDuration;
use keys_api::AlarmKind;

use crate::support::Keys;

#[tokio::test]
async fn a_clock_that_jumps_opens_no_budget_and_rings() {
    let mut keys = Keys::start().await;
    let hundred: Vec<u32> = (0..100).collect();
    assert_eq!(keys.release("web-ky-1", &hundred).await, Ok(100));
    keys.clock.jump(SignedDuration::from_hours(48));
    let refused = keys.release("web-ky-1", &[1]).await.unwrap_err();
    assert!(refused.is(ProblemType::BUDGET_EXHAUSTED));
    assert_eq!(refused.retry_after_s, Some(61));
    assert!(keys.alarms().await.iter().any(|a| a.kind == AlarmKind::ClockJump));
    keys.clock.jump(-SignedDuration::from_hours(96));
    let refused = keys.release("web-ky-1", &[1]).await.unwrap_err();
    assert!(refused.is(ProblemType::BUDGET_EXHAUSTED));

    // After a restart on a clock that was set back, the end of the log shows the difference.
    keys.clock.advance(SignedDuration::from_mins(3));
    keys.restart().await;
    let jumps = keys.alarms().await;
    let told =
        jumps.iter().any(|a| a.kind == AlarmKind::ClockJump && a.detail.contains("set back"));
    assert!(told, "{jumps:?}");
    let refused = keys.release("web-ky-1", &[1]).await.unwrap_err();
    assert!(refused.is(ProblemType::BUDGET_EXHAUSTED));

    // The budget opens when its minute has passed, over restarts, and not when the old time comes again.
    keys.clock.advance(SignedDuration::from_secs(62));
    assert_eq!(keys.release("web-ky-1", &hundred).await, Ok(100));
    keys.restart().await;
    keys.release("web-ky-1", &[1]).await.unwrap_err();
    keys.clock.advance(SignedDuration::from_secs(62));
    keys.restart().await;
    assert_eq!(keys.release("web-ky-1", &[1]).await, Ok(1));
}
