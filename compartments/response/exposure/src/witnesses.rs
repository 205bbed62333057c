//! Holding the copy of a release log against the checkpoints that other compartments keep. `keys` and
//! `response` can rewrite a log together; `accounts` and `payments` have seen it.

use cofferdam_core::Timestamp;
use jiff::SignedDuration;

/// The largest difference between two good clocks, twice.
const CLOCK_MARGIN: SignedDuration = SignedDuration::from_secs(10);

/// A state of a log that another compartment has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenState {
    /// The number of entries.
    pub size: u64,
    /// The instant at which it was first seen.
    pub seen: Timestamp,
    /// Whether our copy has the same tree at this size; `None` if the copy is shorter.
    pub same_tree: Option<bool>,
}

/// The time at which our copy had every entry of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// After the other compartment was asked.
    Now,
    /// At an earlier instant, as far as this process knows.
    Before(Option<Timestamp>),
}

/// The contradiction between a copy of `copied` entries and a state that was seen, in words. A copy
/// that could not be extended since may lack what was written meanwhile, and contradicts nothing.
#[must_use]
pub fn contradiction(seen: &SeenState, copied: u64, followed: Followed) -> Option<String> {
    let SeenState { size, seen: at, same_tree } = *seen;
    match same_tree {
        Some(true) => None,
        Some(false) => Some(format!("its first {size} entries are others")),
        None => {
            let must_have = match followed {
                Followed::Now => true,
                Followed::Before(last) => last.is_some_and(|last| at + CLOCK_MARGIN <= last),
            };
            must_have.then(|| format!("{size} entries were seen, and the copy has {copied}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shorter_or_other_copy_contradicts_what_was_seen_unless_it_only_lags() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let seen = |same_tree| SeenState { size: 9, seen: at(100), same_tree };
        for (seen, followed, contradicts) in [
            (seen(Some(true)), Followed::Now, false),
            (seen(Some(false)), Followed::Now, true),
            (seen(Some(false)), Followed::Before(None), true),
            (seen(None), Followed::Now, true),
            (seen(None), Followed::Before(None), false),
            (seen(None), Followed::Before(Some(at(99))), false),
            (seen(None), Followed::Before(Some(at(109))), false),
            (seen(None), Followed::Before(Some(at(110))), true),
        ] {
            assert_eq!(
                contradiction(&seen, 5, followed).is_some(),
                contradicts,
                "{seen:?} {followed:?}"
            );
        }
    }
}
