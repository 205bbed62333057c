//! The approval of orders: by two people, or by one person for a thaw or for breaking the glass.

use cofferdam_core::{BadReason, Reason, Timestamp};
use keys_api::{ApproverKey, BadSignature, Order, Signed};

/// An order that is not approved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotApproved {
    /// The order's time is over.
    #[error("the order is too late: it could be carried out until {0}")]
    Late(Timestamp),
    /// The signatures do not hold, or are too few.
    #[error(transparent)]
    Signatures(#[from] BadSignature),
    /// The reason for breaking the glass can't stand in the log.
    #[error("breaking the glass takes a reason: {0}")]
    Reason(#[from] BadReason),
}

/// The approvers who signed `signed`, sorted: two of them, or at least one if one person may give
/// the order or it breaks the glass.
pub fn approve<T: Order>(
    signed: &Signed<T>,
    approvers: &[ApproverKey],
    now: Timestamp,
) -> Result<Vec<String>, NotApproved> {
    if let Some(until) = signed.order.until().filter(|until| now >= *until) {
        return Err(NotApproved::Late(until));
    }
    if T::ALONE {
        return Ok(signed.signers(approvers)?);
    }
    let Some(reason) = signed.order.break_glass() else {
        return Ok(signed.verify(approvers)?.to_vec());
    };
    Reason::for_glass(reason)?;
    Ok(signed.signers(approvers)?)
}

#[cfg(test)]
mod tests {
    use cofferdam_core::SeededRng;
    use keys_api::{ApproverSecret, VoidOrder};

    use super::*;

    const REASON: &str = "bob can't be reached";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_order_takes_two_people_or_one_with_a_reason_and_is_in_time() {
        let rng = SeededRng::new(1);
        let people = ["ann", "bob", "eve"].map(|name| ApproverSecret::generate(name, &rng));
        let approvers = [people[0].public(), people[1].public()];
        let until = at("2012-01-15T05:00:00Z");
        let approved = |signers: &[usize], reason: Option<&str>, now: &str| {
            let break_glass = reason.map(str::to_owned);
            let order =
                VoidOrder { incident: 1, set_before: until, until, break_glass, customers: None };
            let signatures = signers.iter().map(|n| people[*n].sign(&order)).collect();
            approve(&Signed { order, signatures }, &approvers, at(now)).map(|names| names.join(" "))
        };
        let (in_time, late) = ("2012-01-15T04:59:59Z", "2012-01-15T05:00:00Z");
        let few = |n| Err(NotApproved::Signatures(BadSignature::TooFew(n)));
        assert_eq!(approved(&[1, 0], None, in_time), Ok("ann bob".to_owned()));
        assert_eq!(approved(&[0], None, in_time), few(1));
        assert_eq!(approved(&[0, 0], None, in_time), few(1));
        assert_eq!(approved(&[0], Some(REASON), in_time), Ok("ann".to_owned()));
        assert_eq!(approved(&[1, 0], Some(REASON), in_time), Ok("ann bob".to_owned()));
        assert_eq!(approved(&[], Some(REASON), in_time), few(0));
        let stranger = Err(NotApproved::Signatures(BadSignature::Unknown("eve".into())));
        assert_eq!(approved(&[2], Some(REASON), in_time), stranger);
        for reason in [None, Some(REASON)] {
            assert_eq!(approved(&[0, 1], reason, late), Err(NotApproved::Late(until)));
        }
    }

    #[test]
    fn breaking_the_glass_takes_a_reason() {
        let rng = SeededRng::new(1);
        let ann = ApproverSecret::generate("ann", &rng);
        let now = at("2012-01-15T04:00:00Z");
        for (reason, taken) in [
            ("ü".repeat(9), false),
            ("ü".repeat(10), true),
            ("ü".repeat(500), true),
            ("ü".repeat(501), false),
            ("a reason with a zero \0 in it".to_owned(), false),
            ("two\nlines of reason".to_owned(), false),
            (" ".repeat(10), false),
            ("short         ".to_owned(), false),
        ] {
            let until = at("2012-01-15T05:00:00Z");
            let break_glass = Some(reason.clone());
            let order =
                VoidOrder { incident: 1, set_before: now, until, break_glass, customers: None };
            let signatures = vec![ann.sign(&order)];
            let approved = approve(&Signed { order, signatures }, &[ann.public()], now);
            match approved {
                Ok(names) => assert!(taken && names == ["ann"], "{reason:?}"),
                Err(e) => assert!(!taken && matches!(e, NotApproved::Reason(_)), "{reason:?}: {e}"),
            }
        }
    }
}
