//! Budgets: the number of records that a caller may touch.

use std::fmt;

use cofferdam_core::{
    Call, CallerName, NO_SUCH_CALLER, Operation, ProblemType, Reason, Rng, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problems::{NO_SUCH_LOWERING, ORDER_REFUSED};
use crate::signed::{Order, Signed};

/// The most records that a caller may touch by one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("examples" = [{"minute": 60, "hour": 1000, "day": 10000, "burst": 200}]))]
pub struct Budget {
    /// The most records in any 60 seconds.
    pub minute: u64,
    /// The most records in any 60 minutes.
    pub hour: u64,
    /// The most records in any 24 hours.
    pub day: u64,
    /// The records beyond the minute's limit that may pass in any 60 minutes. The limits of the
    /// hour and the day still hold.
    #[serde(default)]
    pub burst: u64,
}

impl Budget {
    /// The lower of two budgets, in each window.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self {
            minute: self.minute.min(other.minute),
            hour: self.hour.min(other.hour),
            day: self.day.min(other.day),
            burst: self.burst.min(other.burst),
        }
    }

    /// The hours in which a caller with this budget could touch `records` if it used the budget to
    /// the limit; `None` if it never could.
    #[must_use]
    pub fn hours_to_drain(&self, records: u64) -> Option<f64> {
        if records == 0 {
            return Some(0.0);
        }
        // A smaller window bounds the larger ones.
        let hour = self.hour.min(self.minute.saturating_mul(60).saturating_add(self.burst));
        let day = self.day.min(hour.saturating_mul(24));
        if day == 0 {
            return None;
        }
        let whole_days = (records - 1) / day;
        let rest = records - whole_days * day;
        #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
        Some(whole_days as f64 * 24.0 + rest as f64 / hour as f64)
    }
}

/// The number of a lowering. It is random and never used again, so that the order that ended one
/// lowering ends no other.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
#[schemars(extend("examples" = [4_611_686_018_427_388_u64]))]
pub struct LoweringId(pub u64);

impl LoweringId {
    /// A lowering from before lowerings had numbers.
    pub const BEFORE: Self = Self(0);

    /// Makes a new number of 53 bits, which every reader of JSON takes whole.
    #[must_use]
    pub fn random(rng: &dyn Rng) -> Self {
        Self((u64::from_be_bytes(rng.bytes()) >> 11).max(1))
    }
}

impl fmt::Display for LoweringId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A lowering of one of a caller's budgets, which has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lowering {
    /// The operation that the budget is for.
    pub operation: Operation,
    /// The number of the lowering.
    pub lowering: LoweringId,
}

/// Lowers a caller's budget below the one in force. For the controller. One person is enough, because
/// the call only takes away.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LowerBudget {
    /// The caller, by the name in its certificate.
    pub caller: CallerName,
    /// The operation that the budget is for.
    pub operation: Operation,
    /// The budget from now on, in no window above the one in force.
    pub budget: Budget,
    /// The reason, without personal data: the log keeps it.
    pub reason: Reason,
}

impl Call for LowerBudget {
    const PATH: &'static str = "/v1/budgets/lower";
    const PROBLEMS: &'static [ProblemType] = &[NO_SUCH_CALLER];
    type Answer = ();
}

/// The order that ends a lowering. The policy's budget is in force again when none is left. To give a
/// budget back opens data, so an approver signs it; one is enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreOrder {
    /// The caller whose budget was lowered.
    pub caller: CallerName,
    /// The operation that the budget is for.
    pub operation: Operation,
    /// The lowering that ends.
    pub lowering: LoweringId,
    /// The last instant at which the order may be carried out.
    pub until: Timestamp,
    /// The reason, without personal data: the release log keeps it.
    pub reason: Reason,
}

impl Order for RestoreOrder {
    const HEADING: &'static str = "restore v1";
    const NAME: &'static str = "giving a budget back";
    const ALONE: bool = true;

    fn until(&self) -> Option<Timestamp> {
        Some(self.until)
    }
}

/// Ends a lowering by an order that an approver signed. The same order again does nothing. For the
/// controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreBudget {
    /// The order, signed by an approver.
    pub order: Signed<RestoreOrder>,
}

impl Call for RestoreBudget {
    const PATH: &'static str = "/v1/budgets/restore";
    const PROBLEMS: &'static [ProblemType] = &[NO_SUCH_LOWERING, ORDER_REFUSED];
    type Answer = ();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_says_how_long_a_drain_takes() {
        let web = Budget { minute: 600, hour: 10_000, day: 50_000, burst: 0 };
        assert_eq!(web.hours_to_drain(0), Some(0.0));
        assert_eq!(web.hours_to_drain(5_000), Some(0.5));
        // 24 million at 50,000 a day: 479 whole days, and the last 50,000 in five hours.
        assert_eq!(web.hours_to_drain(24_000_000), Some(479.0 * 24.0 + 5.0));
        let slow = Budget { minute: 1, hour: 10_000, day: 50_000, burst: 0 };
        assert_eq!(slow.hours_to_drain(60), Some(1.0), "the minute bounds the hour");
        let none = Budget { minute: 0, hour: 1, day: 1, burst: 0 };
        assert_eq!(none.hours_to_drain(1), None);
    }

    #[test]
    fn the_lower_budget_counts_in_each_window() {
        let first = Budget { minute: 1, hour: 20, day: 300, burst: 4 };
        let second = Budget { minute: 10, hour: 2, day: 400, burst: 3 };
        let lower = Budget { minute: 1, hour: 2, day: 300, burst: 3 };
        assert_eq!((first.min(second), second.min(first)), (lower, lower));
    }
}
