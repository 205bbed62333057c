//! The span in which a host counts as fallen, and its share of a log's hours.

use cofferdam_core::Timestamp;
use cofferdam_index::{Detail, Part};
use response_api::{DoubtCause, Incident, Sighting, Sightings};

/// The time by which a window grows at each end when the clock of `keys` was moved, in
/// milliseconds.
pub const CLOCK_MARGIN_MS: i64 = 3_600_000;

/// The largest step back of the clock that raises no doubt: `keys` smooths its clock to two
/// seconds.
const CLOCK_TOLERANCE_MS: i64 = 2_000;

/// The error of a sighting, in milliseconds: the time for which an answer may be under way, and an
/// entry may wait for its checkpoint.
pub const SIGHTING_MARGIN_MS: i64 = 2_000;

/// The longest time without a sighting that is no doubt, in milliseconds. A log is looked at each
/// second.
const WATCHED_WITHIN_MS: i64 = 10_000;

/// A span, in milliseconds since 1970, both ends included, and its share of a log's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The beginning of the window.
    pub from_ms: i64,
    /// The end of the window.
    pub to_ms: i64,
    /// The numbers that lie in the window by the witness's sightings. Without them, an entry's own
    /// instant decides.
    seen: Option<Seen>,
}

/// The numbers of a log's entries that may lie in a window. An entry was written between two
/// sightings; it counts if this interval touches the window. The intervals ascend with the numbers,
/// so those that touch make one range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    /// The first number with an interval. Of the entries before it, only `keys` knows the instants.
    first: u64,
    /// The instant after which no earlier entry was written, in milliseconds since 1970.
    none_after_ms: i64,
    /// The first number of the range.
    from: u64,
    /// The number behind the range.
    to: u64,
}

/// The share of an hour of a log that lies in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// The hour lies outside the window.
    None,
    /// The whole hour lies in the window.
    Whole,
    /// A part of the hour lies in the window, so each entry must be checked.
    Some,
    /// The whole hour counts, because the clock went back within it.
    Doubtful,
}

/// An incident's window in a release log. `clock_moved` says that the clock of `keys` was moved
/// around that time: where only `keys` knows the instants, the window is longer then.
#[must_use]
pub fn release_log_window(incident: &Incident, sightings: &Sightings, clock_moved: bool) -> Window {
    let window = Window::new(incident.from, incident.to);
    let seen = window.seen_by(sightings);
    let window = if clock_moved { window.widened(CLOCK_MARGIN_MS) } else { window };
    Window { seen, ..window }
}

/// The doubts about a log that was not watched at an end of an incident's window.
#[must_use]
pub fn doubts_of_sightings(
    log: &str,
    incident: &Incident,
    sightings: &Sightings,
) -> Vec<DoubtCause> {
    let not_watched = |from: Timestamp, to: Timestamp| {
        let unseen = to.as_millisecond().saturating_sub(from.as_millisecond());
        let log = log.to_owned();
        (unseen > WATCHED_WITHIN_MS).then_some(DoubtCause::NotWatched { log, from, to })
    };
    let begins = sightings.before.and_then(|of| not_watched(of.last, incident.from));
    let ends = sightings.after.zip(incident.to).and_then(|(of, to)| not_watched(to, of.first));
    begins.into_iter().chain(ends).collect()
}

/// An incident's window in access logs.
#[must_use]
pub fn access_log_window(incident: &Incident) -> Window {
    Window::new(incident.from, incident.to)
}

impl Window {
    /// Makes a window. Without an end, it reaches to the end of the log, whatever the clocks of
    /// other machines say.
    #[must_use]
    pub fn new(from: Timestamp, to: Option<Timestamp>) -> Self {
        let to_ms = to.map_or(i64::MAX, Timestamp::as_millisecond);
        Self { from_ms: from.as_millisecond(), to_ms, seen: None }
    }

    fn is_before(self, of: &Sighting) -> bool {
        of.first.as_millisecond().saturating_add(SIGHTING_MARGIN_MS) < self.from_ms
    }

    fn is_after(self, of: &Sighting) -> bool {
        of.last.as_millisecond().saturating_sub(SIGHTING_MARGIN_MS) > self.to_ms
    }

    /// The numbers in the window by a log's sightings. A sighting that does not decide is ignored.
    fn seen_by(self, sightings: &Sightings) -> Option<Seen> {
        let earliest = sightings.earliest?;
        let before = sightings.before.filter(|of| self.is_before(of));
        let after = sightings.after.filter(|of| self.is_after(of));
        Some(Seen {
            first: earliest.size,
            none_after_ms: earliest.first.as_millisecond().saturating_add(SIGHTING_MARGIN_MS),
            from: before.map_or(0, |of| of.size).max(earliest.size),
            to: after.map_or(u64::MAX, |of| of.size),
        })
    }

    /// Whether the sightings leave entries whose instants only `keys` knows, from the time of the
    /// window.
    #[must_use]
    pub fn rests_on_own_instants(self) -> bool {
        self.seen.is_none_or(|seen| seen.first > 0 && seen.none_after_ms >= self.from_ms)
    }

    /// The window, made longer at both ends.
    #[must_use]
    pub const fn widened(self, by_ms: i64) -> Self {
        Self {
            from_ms: self.from_ms.saturating_sub(by_ms),
            to_ms: self.to_ms.saturating_add(by_ms),
            seen: self.seen,
        }
    }

    /// Whether an entry may lie in the window, by its number and its own instant.
    ///
    /// Without an interval, its own instant decides. If that lies after the first sighting of the
    /// log, the clock of `keys` was ahead: then it is not known when the entry was written.
    #[must_use]
    pub fn holds(self, number: u64, at: Timestamp) -> bool {
        let own = (self.from_ms..=self.to_ms).contains(&at.as_millisecond());
        match self.seen {
            None => own,
            Some(seen) if number >= seen.first => (seen.from..seen.to).contains(&number),
            Some(seen) => {
                let clock_was_ahead = at.as_millisecond() > seen.none_after_ms;
                seen.none_after_ms >= self.from_ms && (own || clock_was_ahead)
            }
        }
    }

    /// Whether something may lie in the window that an entry tells of later: at most a minute after
    /// it happened, at `earlier`. What was noted after the window's end is judged by `earlier`.
    #[must_use]
    pub fn holds_earlier(self, number: u64, at: Timestamp, earlier: Timestamp) -> bool {
        let own = (self.from_ms..=self.to_ms).contains(&earlier.as_millisecond());
        match self.seen {
            None => own,
            Some(seen) if number >= seen.first => number >= seen.from && (number < seen.to || own),
            Some(_) => self.holds(number, at) || self.holds(number, earlier),
        }
    }

    /// Whether an entry may have been written before the window's end.
    #[must_use]
    pub fn may_precede_end(self, number: u64, at: Timestamp) -> bool {
        match self.seen {
            Some(seen) if number >= seen.first => number < seen.to,
            Some(seen) if at.as_millisecond() > seen.none_after_ms => true,
            _ => at.as_millisecond() <= self.to_ms,
        }
    }

    /// The detail in which the index of a segment must be read.
    #[must_use]
    pub fn detail(self, parts: &[Part]) -> Detail {
        let all = |share: Share| parts.iter().all(|part| self.share(part) == share);
        if all(Share::Whole) {
            Detail::Whole
        } else if all(Share::None) {
            Detail::Head
        } else {
            Detail::Parts
        }
    }

    /// The share of an hour that lies in the window.
    #[must_use]
    pub fn share(self, part: &Part) -> Share {
        let Some(seen) = self.seen else { return self.share_by_instants(part) };
        let end = part.first.saturating_add(part.entries);
        let share_of = |from: u64, to: u64| {
            let (from, to) = (from.max(seen.from), to.min(seen.to));
            to.saturating_sub(from)
        };
        if part.first >= seen.first {
            return match share_of(part.first, end) {
                0 => Share::None,
                all if all == part.entries => Share::Whole,
                _ => Share::Some,
            };
        }
        // Entries before the first sighting: each is judged by itself, unless none can lie in the
        // window, or all do.
        let later = share_of(seen.first, end);
        if seen.none_after_ms < self.from_ms {
            return if later == 0 { Share::None } else { Share::Some };
        }
        let clock_was_ahead = part.last_ms > seen.none_after_ms;
        match self.share_by_instants(part) {
            Share::Doubtful => Share::Doubtful,
            _ if clock_was_ahead || end > seen.first => Share::Some,
            share => share,
        }
    }

    fn share_by_instants(self, part: &Part) -> Share {
        let within = part.first_ms >= self.from_ms && part.last_ms <= self.to_ms;
        let apart = |window: Self| part.last_ms < window.from_ms || part.first_ms > window.to_ms;
        if within {
            Share::Whole
        } else if part.back_ms > CLOCK_TOLERANCE_MS && !apart(self.widened(part.back_ms)) {
            Share::Doubtful
        } else if apart(self) {
            Share::None
        } else {
            Share::Some
        }
    }
}

#[cfg(test)]
mod tests;
