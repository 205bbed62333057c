//! The orders of `response` that hold now, as every request looks at them.

use std::collections::BTreeSet;

use cofferdam_core::{CallerName, Timestamp};

/// What was ordered. Only the latest instant of each kind matters: it covers the earlier ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Orders {
    /// Credentials set at or before this are void.
    pub void_until: Option<Timestamp>,
    /// Sessions opened at or before this are ended.
    pub revoked_until: Option<Timestamp>,
    /// Callers that are refused everything.
    pub frozen: BTreeSet<CallerName>,
}

impl Orders {
    /// Whether a credential set at `set_at` is void.
    #[must_use]
    pub fn voids(&self, set_at: Timestamp) -> bool {
        self.void_until.is_some_and(|until| set_at <= until)
    }

    /// Whether a session opened at `opened` is ended.
    #[must_use]
    pub fn revokes(&self, opened: Timestamp) -> bool {
        self.revoked_until.is_some_and(|until| opened <= until)
    }

    /// Adds a void order.
    pub fn void(&mut self, set_before: Timestamp) {
        self.void_until = self.void_until.max(Some(set_before));
    }

    /// Adds a revoke order.
    pub fn revoke(&mut self, opened_before: Timestamp) {
        self.revoked_until = self.revoked_until.max(Some(opened_before));
    }

    /// Freezes or thaws a caller.
    pub fn freeze(&mut self, caller: CallerName, frozen: bool) {
        if frozen {
            self.frozen.insert(caller);
        } else {
            self.frozen.remove(&caller);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_covers_its_own_instant_and_an_older_one_takes_nothing_back() {
        let at = |s: i64| Timestamp::from_second(s).unwrap();
        let mut orders = Orders::default();
        assert!(!orders.voids(at(0)) && !orders.revokes(at(0)));
        orders.void(at(10));
        orders.void(at(5));
        assert!(orders.voids(at(10)) && !orders.voids(at(11)));
        assert!(!orders.revokes(at(10)));
        orders.revoke(at(7));
        assert!(orders.revokes(at(7)) && !orders.revokes(at(8)));
    }
}
