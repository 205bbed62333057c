use cofferdam_core::Reason;

use super::*;

mod model;

pub fn name(text: &str) -> CallerName {
    text.parse().unwrap()
}

pub fn hold(incident: u32, hold: u64) -> Hold {
    Hold { incident, hold: HoldId(hold) }
}

fn order(incident: u32, hold: u64) -> ThawOrder {
    let until = "2012-01-15T05:00:00Z".parse().unwrap();
    let reason: Reason = "it was rebuilt".parse().unwrap();
    ThawOrder { caller: name("web-1"), incident, hold: HoldId(hold), until, reason }
}

#[test]
fn a_caller_is_frozen_until_every_incident_lets_go() {
    let (web, mut holds) = (name("web-1"), Holds::default());
    holds.take(&web, hold(2, 20), &[]);
    holds.take(&web, hold(1, 10), &[]);
    assert_eq!(holds.of(&web), [hold(1, 10), hold(2, 20)]);
    holds.end(&web, hold(1, 10));
    assert!(holds.is_frozen(&web) && !holds.is_frozen(&name("web-2")));
    assert_eq!(holds.of(&web), [hold(2, 20)]);
    holds.end(&web, hold(2, 20));
    assert!(!holds.is_frozen(&web));
}

#[test]
fn a_newer_freeze_of_an_incident_is_not_ended_by_an_order_about_the_older_one() {
    let (web, mut holds) = (name("web-1"), Holds::default());
    holds.take(&web, hold(1, 10), &[]);
    assert_eq!(holds.check(&order(1, 10)), Ok(Ending::Ends(hold(1, 10))));
    let replaces = holds.of_incident(&web, 1);
    holds.take(&web, hold(1, 11), &replaces);
    assert_eq!(holds.of(&web), [hold(1, 11)], "one hold an incident");
    assert_eq!(holds.check(&order(1, 10)), Ok(Ending::Ended));
    holds.end(&web, hold(1, 11));
    assert_eq!(holds.check(&order(1, 11)), Ok(Ending::Ended), "the same order again");
}

#[test]
fn an_incident_ends_its_own_holds_and_those_from_before() {
    let (web, mut holds) = (name("web-1"), Holds::default());
    holds.take(&web, hold(1, 10), &[]);
    holds.freeze_before(&web, true);
    for (incident, id) in [(2, 10), (1, 11), (0, 10)] {
        let refused = NoSuchHold { incident, hold: HoldId(id) };
        assert_eq!(holds.check(&order(incident, id)), Err(refused));
    }
    assert_eq!(holds.check(&order(2, 0)), Ok(Ending::Ends(hold(0, 0))));
    holds.end(&web, hold(0, 0));
    assert_eq!(holds.of(&web), [hold(1, 10)]);
}

#[test]
fn what_was_read_in_another_order_opens_nothing_that_ended() {
    let (web, mut holds) = (name("web-1"), Holds::default());
    holds.insert(&web, hold(1, 10), true);
    holds.insert(&web, hold(1, 10), false);
    holds.take(&web, hold(1, 10), &[]);
    assert!(!holds.is_frozen(&web));
    let all: Vec<_> = holds.all().map(|(_, hold, ended)| (hold, ended)).collect();
    assert_eq!(all, [(hold(1, 10), true)]);
}

#[test]
fn freezes_from_before_are_one_hold_that_the_last_of_them_decides() {
    let (web, mut holds) = (name("web-1"), Holds::default());
    for (frozen, held) in [(true, true), (true, true), (false, false), (true, true)] {
        holds.freeze_before(&web, frozen);
        assert_eq!(holds.is_frozen(&web), held);
    }
    assert_eq!(holds.of(&web), [hold(0, 0)]);
}
