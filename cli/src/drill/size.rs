//! How large each part of a drill is. All counts are fixed before it starts and none depends on
//! the time, so that the same seed gives the same exposure.

use keys_api::Budget;

/// How often somebody who signed in looks at the own profile.
pub const VIEWS: u32 = 2;

/// The counts of one drill.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Sign-ins at each of the two app servers, while the thief is not yet noticed.
    pub sign_ins: u32,
    /// Customers whom the thief opens one by one, with every field there is.
    pub close_looks: u32,
    /// Records an hour that an app server may read.
    pub hourly_reads: u64,
    /// One customer in so many is a decoy.
    pub decoy_one_in: u32,
}

impl Size {
    /// The counts for a shop of so many customers.
    pub fn of(customers: u32) -> Self {
        Self {
            sign_ins: (customers / 50).clamp(16, 200),
            close_looks: (customers / 20).clamp(10, 1_000),
            hourly_reads: u64::from((customers / 10).saturating_mul(3).clamp(80, 10_000)),
            decoy_one_in: (customers / 40).clamp(10, 500),
        }
    }

    /// The hour is what bites: all traffic of a drill lies within one, so that it is the same
    /// record at which the budget ends, however fast the machine is.
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
