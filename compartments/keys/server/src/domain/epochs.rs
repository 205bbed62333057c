//! The changes of a domain's epochs that are allowed, and their order.

use cofferdam_core::{Domain, Epoch, Timestamp};
use jiff::SignedDuration;
use keys_api::{DomainEpochs, EpochChange, EpochOrder, Event};

/// The longest time to re-seal that one person alone may open.
const LONGEST_ALONE: SignedDuration = SignedDuration::from_hours(24);

/// An order that does not fit the present epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutOfTurn {
    /// The order starts another epoch than the next one.
    #[error("the current epoch is {n}; the next is one more", n = .0.0)]
    NotNext(Epoch),
    /// The order retires the current epoch.
    #[error("epoch {n} is the current one", n = .0.0)]
    Current(Epoch),
    /// The order retires an epoch that has no master key.
    #[error("there is no epoch {n}", n = .0.0)]
    Unknown(Epoch),
}

/// Checks that `change` is the next step, so that an order is carried out once.
pub fn check(before: &DomainEpochs, change: EpochChange) -> Result<(), OutOfTurn> {
    match change {
        EpochChange::Start { epoch, .. } if before.current.0.checked_add(1) != Some(epoch.0) => {
            Err(OutOfTurn::NotNext(before.current))
        }
        EpochChange::Retire { epoch } if epoch == before.current => Err(OutOfTurn::Current(epoch)),
        EpochChange::Retire { epoch } if !before.readable.contains(&epoch) => {
            Err(OutOfTurn::Unknown(epoch))
        }
        EpochChange::Start { .. } | EpochChange::Retire { .. } => Ok(()),
    }
}

/// Whether one person may give this order with a reason. Destroying an old key always takes two
/// people.
pub const fn may_break_glass(order: &EpochOrder) -> bool {
    order.break_glass.is_none() || matches!(order.change, EpochChange::Start { .. })
}

/// Whether an order opens the time to re-seal for no longer than one person may: a day. While it is open,
/// a compartment gets the keys of all its records.
pub fn is_short(order: &EpochOrder, now: Timestamp) -> bool {
    match order.change {
        EpochChange::Start { reseal_until, .. } if order.break_glass.is_some() => {
            reseal_until.duration_since(now) <= LONGEST_ALONE
        }
        EpochChange::Start { .. } | EpochChange::Retire { .. } => true,
    }
}

/// The event that the log records for a change. An order with two signatures and no reason is an
/// ordinary one.
pub fn event(
    domain: Domain,
    change: EpochChange,
    approvers: Vec<String>,
    break_glass: Option<String>,
) -> Event {
    match (<[String; 2]>::try_from(approvers), break_glass) {
        (Ok(approvers), None) => Event::EpochChanged { domain, change, approvers },
        (approvers, reason) => {
            let names = approvers.map_or_else(|names| names, Vec::from);
            let (approver, reason) = (names.join(" and "), reason.unwrap_or_default());
            Event::EpochForced { domain, change, approver, reason }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(epoch: u16) -> EpochChange {
        let reseal_until = "2012-01-15T06:00:00Z".parse().unwrap();
        EpochChange::Start { epoch: Epoch(epoch), reseal_until }
    }

    #[test]
    fn one_person_opens_the_time_to_reseal_for_a_day_at_most() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let until = at("2012-01-16T00:00:00Z");
        let (domain, change) = (Domain::Accounts, start(1));
        let glass = Some("nobody else answers".to_owned());
        let order = EpochOrder { domain, change, until, break_glass: glass };
        assert!(is_short(&order, at("2012-01-14T06:00:00Z")));
        assert!(!is_short(&order, at("2012-01-14T05:59:59Z")));
        let by_two = EpochOrder { break_glass: None, ..order.clone() };
        assert!(is_short(&by_two, at("2012-01-01T00:00:00Z")));
        assert!(is_short(&EpochOrder { change: retire(1), ..order }, at("2012-01-01T00:00:00Z")));
    }

    fn retire(epoch: u16) -> EpochChange {
        EpochChange::Retire { epoch: Epoch(epoch) }
    }

    #[test]
    fn an_epoch_follows_the_current_one_and_an_old_one_retires_once() {
        let readable = vec![Epoch(1), Epoch(3)];
        let before = DomainEpochs { current: Epoch(3), readable, reseal_until: None };
        for (change, expected) in [
            (start(4), Ok(())),
            (start(3), Err(OutOfTurn::NotNext(Epoch(3)))),
            (start(5), Err(OutOfTurn::NotNext(Epoch(3)))),
            (retire(1), Ok(())),
            (retire(2), Err(OutOfTurn::Unknown(Epoch(2)))),
            (retire(3), Err(OutOfTurn::Current(Epoch(3)))),
            (retire(4), Err(OutOfTurn::Unknown(Epoch(4)))),
        ] {
            assert_eq!(check(&before, change), expected, "{change:?}");
        }
        let last = Epoch(u16::MAX);
        let full = DomainEpochs { current: last, readable: vec![last], reseal_until: None };
        assert_eq!(check(&full, start(0)), Err(OutOfTurn::NotNext(last)), "numbers do not wrap");
    }

    #[test]
    fn one_person_never_destroys_a_key() {
        let until = "2012-01-15T06:00:00Z".parse().unwrap();
        for (change, glass, may) in [
            (start(1), true, true),
            (start(1), false, true),
            (retire(1), true, false),
            (retire(1), false, true),
        ] {
            let break_glass = glass.then(|| "bob can't be reached".to_owned());
            let order = EpochOrder { domain: Domain::Accounts, change, until, break_glass };
            assert_eq!(may_break_glass(&order), may, "{change:?} {glass}");
        }
    }

    #[test]
    fn a_forced_change_is_logged_with_its_reason() {
        let (domain, change) = (Domain::Accounts, retire(1));
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let ordinary = event(domain, change, names(&["ann", "bob"]), None);
        let approvers = ["ann".to_owned(), "bob".to_owned()];
        assert_eq!(ordinary, Event::EpochChanged { domain, change, approvers });
        for (signed, approver) in [(&["ann"][..], "ann"), (&["ann", "bob"], "ann and bob")] {
            let reason = "bob can't be reached".to_owned();
            let forced = event(domain, change, names(signed), Some(reason.clone()));
            let approver = approver.to_owned();
            assert_eq!(forced, Event::EpochForced { domain, change, approver, reason });
        }
    }
}
