//! The span in which a host counts as fallen, and its share of a log's hours.

use cofferdam_core::Timestamp;
use cofferdam_index::{Detail, Part};
use response_api::Incident;

/// The time by which a window grows at each end when the clock of `keys` was moved, in
/// milliseconds.
pub const CLOCK_MARGIN_MS: i64 = 3_600_000;

/// The largest step back of the clock that raises no doubt: `keys` smooths its clock to two
/// seconds.
const CLOCK_TOLERANCE_MS: i64 = 2_000;

/// A span, in milliseconds since 1970, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The beginning of the window.
    pub from_ms: i64,
    /// The end of the window.
    pub to_ms: i64,
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
/// around that time.
#[must_use]
pub fn release_log_window(incident: &Incident, clock_moved: bool) -> Window {
    let window = Window::new(incident.from, incident.to);
    if clock_moved { window.widened(CLOCK_MARGIN_MS) } else { window }
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
        Self { from_ms: from.as_millisecond(), to_ms }
    }

    /// The window, made longer at both ends.
    #[must_use]
    pub const fn widened(self, by_ms: i64) -> Self {
        Self {
            from_ms: self.from_ms.saturating_sub(by_ms),
            to_ms: self.to_ms.saturating_add(by_ms),
        }
    }

    /// Whether an instant lies in the window.
    #[must_use]
    pub fn holds(self, at: Timestamp) -> bool {
        (self.from_ms..=self.to_ms).contains(&at.as_millisecond())
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
mod tests {
    use response_api::{IncidentId, People};

    use super::*;

    fn part(first_ms: i64, last_ms: i64, back_ms: i64) -> Part {
        Part { first_ms, last_ms, back_ms, start: 0, end: 1, first: 0, entries: 1 }
    }

    const WINDOW: Window = Window { from_ms: 10_000, to_ms: 20_000 };

    #[test]
    fn an_hour_in_which_the_clock_went_back_counts_whole() {
        for (first, last, back, share) in [
            (10_000, 20_000, 0, Share::Whole),
            (9_999, 20_000, 0, Share::Some),
            (10_000, 20_001, 0, Share::Some),
            (0, 9_999, 0, Share::None),
            (0, 10_000, 0, Share::Some),
            (20_000, 30_000, 0, Share::Some),
            (20_001, 30_000, 2_000, Share::None),
            (20_001, 30_000, 2_001, Share::Doubtful),
            (23_000, 30_000, 3_000, Share::Doubtful),
            (24_000, 30_000, 3_000, Share::None),
            (0, 7_000, 3_000, Share::Doubtful),
            (0, 6_999, 3_000, Share::None),
            (10_000, 20_000, 9_000, Share::Whole),
        ] {
            assert_eq!(WINDOW.share(&part(first, last, back)), share, "{first} {last} {back}");
        }
    }

    #[test]
    fn an_index_is_read_as_finely_as_the_window_asks() {
        let (whole, none, some) = (part(11_000, 12_000, 0), part(1, 2, 0), part(1, 11_000, 0));
        assert_eq!(WINDOW.detail(&[whole.clone(), whole.clone()]), Detail::Whole);
        assert_eq!(WINDOW.detail(std::slice::from_ref(&none)), Detail::Head);
        assert_eq!(WINDOW.detail(&[whole.clone(), none.clone()]), Detail::Parts);
        assert_eq!(WINDOW.detail(&[none, some]), Detail::Parts);
    }

    #[test]
    fn the_window_of_a_release_log_grows_by_an_hour_when_the_clock_moved() {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let incident = Incident {
            incident: IncidentId(1),
            title: String::new(),
            fallen: vec![],
            from: at(10_000),
            to: Some(at(20_000)),
            found: String::new(),
            people: People::Accounts,
            declared: at(30_000),
            declared_by: "ic".parse().unwrap(),
            closed: None,
        };
        assert_eq!(access_log_window(&incident), WINDOW);
        assert_eq!(release_log_window(&incident, false), WINDOW);
        let moved = release_log_window(&incident, true);
        assert_eq!(moved, Window { from_ms: -3_590_000, to_ms: 3_620_000 });
    }

    #[test]
    fn both_ends_belong_to_the_window() {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let window = Window::new(at(10_000), Some(at(20_000)));
        assert_eq!(window, WINDOW);
        let held = [9_999, 10_000, 20_000, 20_001].map(|ms| window.holds(at(ms)));
        assert_eq!(held, [false, true, true, false]);
        assert!(Window::new(at(10_000), None).holds(at(i64::from(i32::MAX))));
        assert_eq!(window.widened(1_000), Window { from_ms: 9_000, to_ms: 21_000 });
    }
}
