//! The machine's clock, held against the time that really passed.

use std::sync::Arc;

use cofferdam_core::{Clock, Timestamp};

use crate::domain::time::{Reading, SteadyTime};

/// A clock that is not followed when it jumps.
pub struct SteadyClock {
    clock: Arc<dyn Clock>,
    steady: SteadyTime,
}

impl SteadyClock {
    /// Goes by `clock`, which stood at `started` when the process began.
    pub fn new(clock: Arc<dyn Clock>, started: Timestamp) -> Self {
        let steady = SteadyTime::new(started, clock.monotonic());
        Self { clock, steady }
    }

    /// The time to go by now.
    pub fn read(&self) -> Reading {
        self.steady.read(self.clock.now(), self.clock.monotonic())
    }
}
