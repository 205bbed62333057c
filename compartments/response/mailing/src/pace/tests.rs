//! Tests of the pace.

use super::*;

const GONE: Answer = Answer::Refused(BounceReason::NoMailbox);
const BOUNCE: CameBackAs = CameBackAs::Bounced(BounceReason::NoMailbox);

fn provider(rate: Option<u32>) -> Pace {
    Pace::new(ProviderConfig { rate, ..ProviderConfig::unlimited("mail", 4) })
}

/// Sends all letters that may go in `ms` milliseconds, and returns their number.
fn run(pace: &mut Pace, from: i64, ms: i64, answer: impl Fn(i64) -> Answer) -> u32 {
    let mut sent = 0;
    for now in from..from + ms {
        // Four connections send at most four letters in a millisecond.
        for _ in 0..4 {
            if pace.ask(now, 0) == Permit::Now {
                sent += 1;
                pace.learn(answer(now), now, 0);
            }
        }
    }
    sent
}

#[test]
fn a_configured_rate_is_kept() {
    let sent = run(&mut provider(Some(100)), 0, 10_000, |_| Answer::Accepted);
    assert!((990..=1_011).contains(&sent), "{sent}");
    assert_eq!(run(&mut provider(None), 0, 1_000, |_| Answer::Accepted), 4_000);
}

#[test]
fn the_warm_up_rises_by_the_hour() {
    let mut pace = provider(Some(1_000));
    pace.limits.warm_up = vec![10, 50];
    let rates = [0, 1, 2].map(|hours| pace.rate(hours));
    assert_eq!(rates, [Some(10.0), Some(50.0), Some(1_000.0)]);
    assert_eq!(pace.ask(0, 0), Permit::Now);
}

#[test]
fn a_flood_of_deferrals_slows_it_within_two_seconds_and_it_recovers() {
    let mut pace = provider(None);
    run(&mut pace, 0, 2_000, |_| Answer::Accepted);
    run(&mut pace, 2_000, 2_000, |_| Answer::Deferred);
    assert!(pace.rate(0).unwrap() <= 2_000.0, "{:?}", pace.rate(0));
    let slow = run(&mut pace, 4_000, 1_000, |_| Answer::Deferred);
    assert!(slow < 1_100, "{slow} in the third second");
    let slower = run(&mut pace, 5_000, 20_000, |_| Answer::Deferred);
    assert!(slower < 2_500, "{slower} in twenty seconds");
    let low = pace.rate(0).unwrap();
    run(&mut pace, 25_000, 120_000, |_| Answer::Accepted);
    assert!(pace.rate(0).unwrap() > 5.0 * low);
}

#[test]
fn missing_mailboxes_pause_at_five_percent_and_complaints_at_a_thousandth() {
    let mut pace = provider(None);
    run(&mut pace, 0, 5_000, |now| if now % 25 == 0 { GONE } else { Answer::Accepted });
    assert_eq!(pace.paused, None, "four percent");
    run(&mut pace, 5_000, 5_000, |now| if now % 16 == 0 { GONE } else { Answer::Accepted });
    assert!(pace.paused.as_ref().unwrap().reason.contains("found no mailbox"));
    assert_eq!(pace.ask(10_000, 0), Permit::Paused);
    pace.resume();
    run(&mut pace, 10_000, 5_000, |_| Answer::Accepted);
    for _ in 0..9 {
        pace.came_back(CameBackAs::Complaint);
    }
    assert_eq!(pace.paused, None);
    pace.came_back(CameBackAs::Complaint);
    assert!(pace.paused.as_ref().unwrap().reason.contains("complained"));
}

fn learn(pace: &mut Pace, answer: Answer, letters: u32, now: i64) {
    for _ in 0..letters {
        pace.learn(answer, now, 0);
    }
}

#[test]
fn a_permit_says_when_the_next_letter_may_go() {
    let mut pace = provider(Some(4));
    for (now, permit) in [
        (1_000, Permit::Now),
        (1_000, Permit::At(1_250)),
        (1_125, Permit::At(1_250)),
        (1_250, Permit::Now),
        // A long rest earns no burst.
        (9_000, Permit::Now),
        (9_000, Permit::At(9_250)),
    ] {
        assert_eq!(pace.ask(now, 0), permit, "{now}");
    }
    let mut fast = provider(Some(100));
    let burst = (0..100).filter(|_| fast.ask(5_000, 0) == Permit::Now).count();
    assert_eq!(burst, 10, "a tenth of a second's letters");
}

#[test]
fn the_measured_rate_is_that_of_this_second_or_the_last() {
    // Forty letters in a second that begins at 1,000, and then one.
    for (then, halved) in [(1_999, 20.5), (2_000, 20.0), (2_999, 20.0), (3_000, 1.0)] {
        let mut pace = provider(None);
        learn(&mut pace, Answer::Accepted, 40, 1_000);
        learn(&mut pace, Answer::Accepted, 1, then);
        pace.halve(then, 0);
        assert_eq!(pace.rate(0), Some(halved), "{then}");
    }
}

#[test]
fn more_than_a_fifth_of_fifty_deferred_is_a_flood_and_halves_once_a_second() {
    let mut pace = provider(None);
    learn(&mut pace, Answer::Accepted, 400, 1_000);
    learn(&mut pace, Answer::Deferred, 10, 1_500);
    assert_eq!(pace.rate(0), None);
    learn(&mut pace, Answer::Deferred, 1, 1_500);
    assert_eq!(pace.rate(0), Some(200.0));
    learn(&mut pace, Answer::Deferred, 1, 2_499);
    assert_eq!(pace.rate(0), Some(200.0));
    learn(&mut pace, Answer::Deferred, 1, 2_500);
    assert_eq!(pace.rate(0), Some(100.0));
}

#[test]
fn a_pace_grows_by_a_tenth_every_five_seconds_up_to_its_limit() {
    for limit in [None, Some(100)] {
        let mut pace = provider(limit);
        learn(&mut pace, Answer::Accepted, 40, 1_000);
        pace.halve(1_500, 0);
        pace.ask(6_499, 0);
        assert_eq!(pace.rate(0), Some(20.0));
        pace.ask(6_500, 0);
        assert!((pace.rate(0).unwrap() - 22.5).abs() < 1e-9, "{:?}", pace.rate(0));
    }
    let mut pace = provider(Some(2));
    pace.halve(0, 0);
    assert_eq!(pace.rate(0), Some(1.0));
    pace.ask(5_000, 0);
    pace.ask(10_000, 0);
    assert_eq!(pace.rate(0), Some(2.0));
}

#[test]
fn a_twentieth_without_mailbox_pauses_from_fifty_on() {
    let mut pace = provider(None);
    learn(&mut pace, Answer::Accepted, 100, 1_000);
    learn(&mut pace, GONE, 30, 1_000);
    for _ in 0..19 {
        pace.came_back(BOUNCE);
    }
    assert_eq!(pace.paused, None);
    pace.came_back(BOUNCE);
    let reason = pace.paused.as_ref().unwrap().reason.as_str();
    assert_eq!(reason, "50 of the last 130 letters found no mailbox");
    pace.resume();
    pace.came_back(BOUNCE);
    learn(&mut pace, GONE, 49, 1_000);
    assert_eq!(pace.paused, None, "what led to the pause is forgotten");
}

#[test]
fn only_the_latest_ten_thousand_letters_are_judged() {
    let mut pace = provider(None);
    learn(&mut pace, GONE, 49, 1_000);
    learn(&mut pace, Answer::Accepted, 9, 1_000);
    for _ in 0..9 {
        pace.came_back(CameBackAs::Complaint);
    }
    learn(&mut pace, Answer::Accepted, 10_000, 1_000);
    learn(&mut pace, GONE, 499, 1_000);
    for _ in 0..9 {
        pace.came_back(CameBackAs::Complaint);
    }
    assert_eq!(pace.paused, None);
    let mut other = provider(None);
    learn(&mut other, Answer::Accepted, 10, 1_000);
    for _ in 0..20 {
        other.came_back(CameBackAs::Complaint);
    }
    let reason = other.paused.as_ref().unwrap().reason.as_str();
    assert_eq!(reason, "10 readers of the last 10 letters complained", "each counts once");
    learn(&mut pace, GONE, 1, 1_000);
    assert!(pace.paused.unwrap().reason.starts_with("500 of the last 10000"));
}

#[test]
fn blocks_and_policy_pause_with_their_name_and_full_or_expired_mailboxes_do_not() {
    for (why, what) in [
        (BounceReason::Blocked, Some("50 of the last 150 letters were blocked")),
        (BounceReason::Policy, Some("50 of the last 150 letters were refused by policy")),
        (BounceReason::Full, None),
        (BounceReason::Expired, None),
        (BounceReason::Other, None),
    ] {
        let mut pace = provider(None);
        learn(&mut pace, Answer::Accepted, 120, 1_000);
        learn(&mut pace, Answer::Refused(why), 30, 1_000);
        (0..19).for_each(|_| pace.came_back(CameBackAs::Bounced(why)));
        assert_eq!(pace.paused, None, "{why}");
        pace.came_back(CameBackAs::Bounced(why));
        let paused = pace.paused.as_ref().map(|pause| pause.reason.as_str());
        assert_eq!(paused, what, "{why}");
    }
}
