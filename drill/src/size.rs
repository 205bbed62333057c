//! The size of each part of a drill. All counts are fixed before the drill starts, and none depends
//! on the time, so that the same seed gives the same exposure.

use keys_api::Budget;

/// The number of times that a customer who signed in looks at the profile.
pub const VIEWS: u32 = 2;

/// The counts of one drill.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// The number of sign-ins at each of the two app servers.
    pub sign_ins: u32,
    /// The number of customers whom the thief opens one by one, with every field.
    pub close_looks: u32,
    /// The number of records that an app server may read in an hour.
    pub hourly_reads: u64,
    /// One customer in this many is a decoy.
    pub decoy_one_in: u32,
}

impl Size {
    /// The counts for a shop of this many customers.
    pub fn of(customers: u32) -> Self {
        Self {
            sign_ins: (customers / 50).clamp(16, 200),
            close_looks: (customers / 20).clamp(10, 1_000),
            hourly_reads: u64::from((customers / 10).saturating_mul(3).clamp(80, 10_000)),
            decoy_one_in: (customers / 40).clamp(10, 500),
        }
    }

    /// The budget of an app server. The hour's limit is the one that stops the thief: the traffic
    /// of a drill takes less than an hour, so the budget ends at the same record on every machine.
    pub const fn budget(&self) -> Budget {
        let reads = self.hourly_reads;
        Budget { minute: reads, hour: reads, day: 5 * reads, burst: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_leaves_the_thief_something_after_ordinary_reads() {
        for customers in [50, 300, 1_000, 20_000, 200_000, 4_000_000] {
            let size = Size::of(customers);
            let before = u64::from(size.sign_ins * VIEWS + size.close_looks);
            assert!(before + 10 <= size.hourly_reads, "{customers}: {size:?}");
        }
    }
}
