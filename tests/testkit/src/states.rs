//! The part of `keys` that knows the newest state of a compartment, for small `keys` in tests.

use std::sync::{Arc, Mutex};

use cofferdam_core::{StateId, Timestamp};
use cofferdam_wire::{Answer, Body};
use keys_api::{
    AcceptState, AcceptedState, CheckState, CheckedState, LogCheckpoint, Standing, Trouble,
};

/// The newest state of one domain, and the record numbers that were given out.
#[derive(Clone, Default)]
pub struct States(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    newest: Option<(StateId, Timestamp)>,
    given: u32,
    told: u32,
    log: Option<LogCheckpoint>,
    troubles: Vec<Trouble>,
}

impl States {
    /// Notes that the numbers below `upto` were given out.
    pub fn give(&self, upto: u32) {
        let mut known = self.0.lock().unwrap();
        known.given = known.given.max(upto);
    }

    /// Tells this state of the release log from now on.
    pub fn tell_log(&self, log: LogCheckpoint) {
        self.0.lock().unwrap().log = Some(log);
    }

    /// The number behind the last record number that the compartment told.
    #[must_use]
    pub fn told(&self) -> u32 {
        self.0.lock().unwrap().told
    }

    /// The troubles that the last check told.
    #[must_use]
    pub fn troubles(&self) -> Vec<Trouble> {
        self.0.lock().unwrap().troubles.clone()
    }

    /// Answers a check.
    #[must_use]
    pub fn check(&self, Body(call, encoding): Body<CheckState>) -> Answer<CheckedState> {
        let mut known = self.0.lock().unwrap();
        known.troubles.clone_from(&call.troubles);
        known.told = known.told.max(call.numbers);
        let beat = known.newest.map(|(_, beat)| beat);
        let standing = match known.newest {
            Some(_) if call.is_new => Standing::Missing,
            Some((state, _)) if state != call.state => Standing::GivenUp,
            Some((_, beat)) if call.beat < call.known.map_or(beat, |known| known.min(beat)) => {
                Standing::Older
            }
            _ => Standing::Newest,
        };
        if standing == Standing::Newest {
            known.newest = Some((call.state, beat.map_or(call.beat, |beat| beat.max(call.beat))));
        }
        let numbers = known.given.max(call.numbers);
        Answer(CheckedState { standing, numbers, beat, log: known.log.clone() }, encoding)
    }

    /// Answers an acceptance.
    #[must_use]
    pub fn accept(&self, Body(call, encoding): Body<AcceptState>) -> Answer<AcceptedState> {
        let mut known = self.0.lock().unwrap();
        known.newest = Some((call.state, call.beat));
        Answer(AcceptedState { numbers: known.given.max(call.numbers) }, encoding)
    }
}
