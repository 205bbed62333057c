//! Whether the end of a journal follows its anchor, and how fast the journals grow.

use cofferdam_core::Timestamp;
use jiff::SignedDuration;
use keys_api::JournalHead;

/// The most entries by which all journals together grow in a window. An honest `response` stays far below.
/// A fallen one could anchor a length that no honest journal ever reaches, and nothing would be anchored
/// behind that.
const MOST: u64 = 1_000_000;
/// The length of a window.
const WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// The standing of a journal's end that follows the anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchoring {
    /// It is the anchored end.
    Known,
    /// The journal is longer than its anchor, or has none.
    Longer,
}

/// A journal that contradicts its anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// The journal has fewer entries than were anchored.
    #[error("it has {has} entries, and {had} were anchored")]
    Shorter {
        /// The number of anchored entries.
        had: u32,
        /// The number of entries now.
        has: u32,
    },
    /// The journal has another entry at its anchor.
    #[error("entry {0} is not the one that was anchored")]
    OtherHead(u32),
}

/// The journals grow faster than staff act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journals would grow by more than {MOST} entries in an hour")]
pub struct TooFast {
    /// The seconds until the window ends.
    pub retry_after_s: u64,
}

/// The growth of the journals in the present window.
#[derive(Debug, Default)]
pub struct Growth {
    since: Option<Timestamp>,
    entries: u64,
}

impl Growth {
    /// Notes that a journal grows from its anchor to `length` now.
    pub fn note(
        &mut self,
        anchor: Option<JournalHead>,
        length: u32,
        now: Timestamp,
    ) -> Result<(), TooFast> {
        let since = self.since.filter(|since| *since <= now && now < *since + WINDOW);
        let (since, before) = since.map_or((now, 0), |since| (since, self.entries));
        let more = length.saturating_sub(anchor.map_or(0, |anchor| anchor.length));
        let entries = before + u64::from(more);
        if entries > MOST {
            let left = (since + WINDOW).duration_since(now).as_secs();
            return Err(TooFast { retry_after_s: left.unsigned_abs().max(1) });
        }
        *self = Self { since: Some(since), entries };
        Ok(())
    }
}

/// Judges the end of a journal by its anchor.
pub fn judge(anchor: Option<JournalHead>, end: JournalHead) -> Result<Anchoring, Contradiction> {
    let Some(anchor) = anchor else { return Ok(Anchoring::Longer) };
    let (had, has) = (anchor.length, end.length);
    match has.cmp(&had) {
        std::cmp::Ordering::Less => Err(Contradiction::Shorter { had, has }),
        std::cmp::Ordering::Greater => Ok(Anchoring::Longer),
        std::cmp::Ordering::Equal if anchor.head == end.head => Ok(Anchoring::Known),
        std::cmp::Ordering::Equal => Err(Contradiction::OtherHead(has)),
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::Sha256;

    use super::*;

    #[test]
    fn a_journal_only_grows_behind_its_anchor() {
        let head = |length, head| JournalHead { length, head: Sha256([head; 32]) };
        let anchor = Some(head(3, 1));
        for (anchor, end, judged) in [
            (None, head(1, 1), Ok(Anchoring::Longer)),
            (anchor, head(4, 2), Ok(Anchoring::Longer)),
            (anchor, head(3, 1), Ok(Anchoring::Known)),
            (anchor, head(3, 2), Err(Contradiction::OtherHead(3))),
            (anchor, head(2, 1), Err(Contradiction::Shorter { had: 3, has: 2 })),
        ] {
            assert_eq!(judge(anchor, end), judged, "{anchor:?} {end:?}");
        }
    }

    #[test]
    fn journals_grow_by_so_many_entries_an_hour_and_a_refused_one_counts_for_nothing() {
        let now = Timestamp::UNIX_EPOCH;
        let at = |minutes| now + SignedDuration::from_mins(minutes);
        let anchor = |length| Some(JournalHead { length, head: Sha256([0; 32]) });
        let most = u32::try_from(MOST).unwrap();
        let mut growth = Growth::default();
        let first = growth.note(None, u32::MAX, at(0));
        assert_eq!(
            first,
            Err(TooFast { retry_after_s: 3_600 }),
            "a new journal has a limit as well"
        );
        assert_eq!(growth.note(anchor(7), most + 6, at(0)), Ok(()));
        let full = growth.note(anchor(u32::MAX - 2), u32::MAX, at(10));
        assert_eq!(full, Err(TooFast { retry_after_s: 3_000 }));
        assert_eq!(growth.note(None, 1, at(59)), Ok(()));
        assert!(growth.note(None, 1, at(59)).is_err());
        assert_eq!(growth.note(None, most, at(60)), Ok(()));
    }
}
