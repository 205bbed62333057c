//! The standing of a compartment's state.

use cofferdam_core::{StateId, Timestamp};
use keys_api::{CheckState, Standing};

/// Judges a state by the newest one that is known and by the record numbers that were given out.
/// A domain without a known state takes any: its compartment is of an older version, or has never
/// run. It can't be an empty one if numbers were given out.
pub fn judge(call: &CheckState, newest: Option<(StateId, Timestamp)>, given: u32) -> Standing {
    match newest {
        None if call.is_new && call.numbers == 0 && given > 0 => Standing::Missing,
        Some(_) if call.is_new => Standing::Missing,
        Some((known, _)) if known != call.state => Standing::GivenUp,
        Some((_, beat)) if call.beat < call.known.map_or(beat, |known| known.min(beat)) => {
            Standing::Older
        }
        _ => Standing::Newest,
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::Domain;
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn only_the_newest_state_starts() {
        let now = Timestamp::UNIX_EPOCH;
        let earlier = now - SignedDuration::from_millis(1);
        let (own, other) = (StateId(1), StateId(2));
        let check = |is_new, beat, numbers| CheckState {
            domain: Domain::Payments,
            state: own,
            is_new,
            beat,
            known: None,
            numbers,
            troubles: vec![],
            seen: vec![],
        };
        for (call, newest, given, expected) in [
            (check(true, now, 0), None, 0, Standing::Newest),
            (check(true, now, 0), None, 7, Standing::Missing),
            (check(true, now, 7), None, 9, Standing::Newest),
            (check(false, now, 0), None, 7, Standing::Newest),
            (check(true, now, 0), Some((other, earlier)), 0, Standing::Missing),
            (check(true, now, 9), Some((other, earlier)), 9, Standing::Missing),
            (check(false, now, 9), Some((other, earlier)), 9, Standing::GivenUp),
            (check(false, earlier, 9), Some((own, now)), 9, Standing::Older),
            (check(false, now, 8), Some((own, now)), 9, Standing::Newest),
            (check(false, now, 9), Some((own, earlier)), 9, Standing::Newest),
        ] {
            assert_eq!(judge(&call, newest, given), expected, "{call:?} {newest:?} {given}");
        }
        // Another instance told `now` after this one had read `earlier`.
        for (known, expected) in [(earlier, Standing::Newest), (now, Standing::Older)] {
            let call = CheckState { known: Some(known), ..check(false, earlier, 9) };
            assert_eq!(judge(&call, Some((own, now)), 9), expected, "{known}");
        }
    }
}
