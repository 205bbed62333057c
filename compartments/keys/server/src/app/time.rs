//! The machine's clock, compared with the time that really passed.

use std::sync::Arc;

use cofferdam_core::{Clock, Timestamp};

use crate::domain::time::{Reading, SteadyTime};

/// A clock that is not followed if it jumps.
pub struct SteadyClock {
    clock: Arc<dyn Clock>,
    steady: SteadyTime,
}

impl SteadyClock {
    /// Follows `clock`, which stood at `started` when the process began.
    pub fn new(clock: Arc<dyn Clock>, started: Timestamp) -> Self {
        let steady = SteadyTime::new(started, clock.monotonic());
        Self { clock, steady }
    }

    /// Reads the time for all rules.
    pub fn read(&self) -> Reading {
        self.steady.read(self.clock.now(), self.clock.monotonic())
    }
}
