use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use response_api::{IncidentId, People};

use super::*;

fn part(first_ms: i64, last_ms: i64, back_ms: i64) -> Part {
    Part { first_ms, last_ms, back_ms, start: 0, end: 1, first: 0, entries: 1 }
}

const WINDOW: Window = Window { from_ms: 10_000, to_ms: 20_000, seen: None };

fn incident() -> Incident {
    let at = |ms| Timestamp::from_millisecond(ms).unwrap();
    Incident {
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
    }
}

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
    let incident = incident();
    assert_eq!(access_log_window(&incident), WINDOW);
    let none = Sightings::default();
    assert_eq!(release_log_window(&incident, &none, false), WINDOW);
    let moved = release_log_window(&incident, &none, true);
    assert_eq!(moved, Window { from_ms: -3_590_000, to_ms: 3_620_000, seen: None });
    let all = [sighting(3, 1_000, 1_000), sighting(5, 5_000, 9_000)];
    let sightings = deciding(&all);
    let moved = release_log_window(&incident, &sightings, true);
    assert_eq!((moved.from_ms, moved.seen), (-3_590_000, WINDOW.seen_by(&sightings)));
}

#[test]
fn both_ends_belong_to_the_window() {
    let at = |ms| Timestamp::from_millisecond(ms).unwrap();
    let window = Window::new(at(10_000), Some(at(20_000)));
    assert_eq!(window, WINDOW);
    let held = [9_999, 10_000, 20_000, 20_001].map(|ms| window.holds(0, at(ms)));
    assert_eq!(held, [false, true, true, false]);
    assert!(Window::new(at(10_000), None).holds(0, at(i64::from(i32::MAX))));
    assert_eq!(window.widened(1_000), Window { from_ms: 9_000, to_ms: 21_000, seen: None });
}

fn sighting(size: u64, first: i64, last: i64) -> Sighting {
    let at = |ms| Timestamp::from_millisecond(ms).unwrap();
    Sighting { size, first: at(first), last: at(last) }
}

/// The sightings that decide about the window, among all of a log's.
fn deciding(all: &[Sighting]) -> Sightings {
    let is_before = |of: &&Sighting| WINDOW.is_before(of);
    let is_after = |of: &&Sighting| WINDOW.is_after(of);
    Sightings {
        earliest: all.iter().min_by_key(|of| of.size).copied(),
        before: all.iter().filter(is_before).max_by_key(|of| of.size).copied(),
        after: all.iter().filter(is_after).min_by_key(|of| of.size).copied(),
    }
}

fn seen(all: &[Sighting]) -> Window {
    Window { seen: WINDOW.seen_by(&deciding(all)), ..WINDOW }
}

/// `keys` came back with its clock hours ahead. Its entries count by the witness's clock.
#[test]
fn an_entry_counts_by_the_witness_whatever_its_own_instant_says() {
    // Seen empty, then with 4 entries before the window, 8 within, 12 after it.
    let all = [
        sighting(0, 0, 1_000),
        sighting(4, 2_000, 7_000),
        sighting(8, 12_000, 15_000),
        sighting(12, 25_000, 26_000),
    ];
    let hours_ahead = Timestamp::from_millisecond(10_798_000).unwrap();
    let held: Vec<_> = (0..14).filter(|n| seen(&all).holds(*n, hours_ahead)).collect();
    assert_eq!(held, [4, 5, 6, 7, 8, 9, 10, 11]);
    // A margin of two seconds at each end: at exactly two, the entry counts.
    let edge = [sighting(0, 0, 0), sighting(4, 8_000, 8_000), sighting(6, 22_000, 22_000)];
    let held: Vec<_> = (0..9).filter(|n| seen(&edge).holds(*n, hours_ahead)).collect();
    assert_eq!(held, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    let past = [sighting(0, 0, 0), sighting(4, 7_999, 7_999), sighting(6, 22_001, 22_001)];
    let held: Vec<_> = (0..9).filter(|n| seen(&past).holds(*n, hours_ahead)).collect();
    assert_eq!(held, [4, 5]);
}

#[test]
fn of_entries_before_the_first_sighting_only_keys_knows_the_instant() {
    let at = |ms| Timestamp::from_millisecond(ms).unwrap();
    // The log was first seen within the window, with 5 entries.
    let within = seen(&[sighting(5, 15_000, 16_000)]);
    assert!(within.rests_on_own_instants());
    for (number, ms, held) in [
        (0, 9_999, false),
        (0, 10_000, true),
        (4, 17_000, true),
        // Its clock was ahead: it was written by 15,000, and when is not known.
        (4, 17_001, true),
        (4, 10_798_000, true),
        (5, 0, true),
    ] {
        assert_eq!(within.holds(number, at(ms)), held, "{number} {ms}");
    }
    // It was first seen before the window: none of these entries lies in it.
    let before = seen(&[sighting(5, 7_000, 7_000), sighting(6, 12_000, 12_000)]);
    assert!(!before.rests_on_own_instants());
    assert!(!before.holds(4, at(15_000)) && before.holds(5, at(0)));
    // It was first seen long after: an honest instant decides, and a wrong one counts.
    let after = seen(&[sighting(5, 90_000, 90_000)]);
    assert!(after.holds(4, at(15_000)) && !after.holds(4, at(80_000)));
    assert!(after.holds(4, at(92_001)) && !after.holds(5, at(15_000)));
}

#[test]
fn a_warrant_counts_if_it_may_have_been_opened_before_the_windows_end() {
    let at = |ms| Timestamp::from_millisecond(ms).unwrap();
    assert!(WINDOW.may_precede_end(9, at(20_000)) && !WINDOW.may_precede_end(9, at(20_001)));
    let seen = seen(&[sighting(5, 15_000, 16_000), sighting(8, 23_000, 23_000)]);
    for (number, ms, may) in
        [(2, 20_000, true), (2, 17_001, true), (5, 99_000, true), (8, 0, false)]
    {
        assert_eq!(seen.may_precede_end(number, at(ms)), may, "{number} {ms}");
    }
}

#[test]
fn what_an_entry_tells_later_may_lie_in_the_window_before_it() {
    let at = |ms| Timestamp::from_millisecond(ms).unwrap();
    assert!(WINDOW.holds_earlier(9, at(30_000), at(20_000)));
    assert!(!WINDOW.holds_earlier(9, at(15_000), at(9_000)));
    let seen = seen(&[sighting(0, 0, 0), sighting(4, 2_000, 7_000), sighting(8, 23_000, 23_000)]);
    for (number, earlier, held) in
        [(3, 15_000, false), (4, 0, true), (7, 99_000, true), (8, 19_000, true), (8, 21_000, false)]
    {
        assert_eq!(seen.holds_earlier(number, at(0), at(earlier)), held, "{number} {earlier}");
    }
}

#[test]
fn a_log_that_was_not_watched_at_an_end_of_the_window_is_a_doubt() {
    let at = |ms| Timestamp::from_millisecond(ms).unwrap();
    let incident = incident();
    let doubts = |before: i64, after: i64| {
        let sightings = Sightings {
            earliest: None,
            before: Some(sighting(1, 0, before)),
            after: Some(sighting(9, after, 90_000)),
        };
        doubts_of_sightings("keys/log", &incident, &sightings)
    };
    assert_eq!(doubts(0, 30_000), []);
    let not_watched =
        |from, to| DoubtCause::NotWatched { log: "keys/log".into(), from: at(from), to: at(to) };
    assert_eq!(doubts(-1, 30_000), [not_watched(-1, 10_000)]);
    assert_eq!(doubts(0, 30_001), [not_watched(20_000, 30_001)]);
}

proptest! {
    /// The share of an hour never says other than its entries, one by one.
    #[test]
    fn the_share_of_an_hour_is_that_of_its_entries(
        sizes in btree_set(0_u64..30, 0..5),
        gaps in vec((0_i64..9_000, 0_i64..9_000), 5),
        instants in vec(0_i64..40_000, 1..20),
        first in 0_u64..20,
    ) {
        let (mut at, mut all) = (0, Vec::new());
        for (size, (until, next)) in sizes.into_iter().zip(gaps) {
            all.push(sighting(size, at, at + until));
            at += until + next;
        }
        let window = seen(&all);
        let mut instants = instants;
        instants.sort_unstable();
        let part = Part {
            first_ms: instants[0],
            last_ms: instants[instants.len() - 1],
            back_ms: 0,
            start: 0,
            end: 1,
            first,
            entries: instants.len() as u64,
        };
        let held = (first..).zip(&instants);
        let held = held.filter(|(number, ms)| {
            window.holds(*number, Timestamp::from_millisecond(**ms).unwrap())
        });
        let held = held.count();
        match window.share(&part) {
            Share::None => prop_assert_eq!(held, 0),
            Share::Whole => prop_assert_eq!(held, instants.len()),
            Share::Some => {}
            Share::Doubtful => prop_assert!(false, "the clock went not back"),
        }
    }

    /// To forget a sighting only makes intervals wider.
    #[test]
    fn fewer_sightings_never_leave_an_entry_out(
        sizes in btree_set(0_u64..30, 1..6),
        gaps in vec((0_i64..9_000, 0_i64..9_000), 6),
        forgotten in 1_usize..6,
    ) {
        let (mut at, mut all) = (0, Vec::new());
        for (size, (until, next)) in sizes.into_iter().zip(gaps) {
            all.push(sighting(size, at, at + until));
            at += until + next;
        }
        let whole = seen(&all);
        let mut thinned = all.clone();
        // The first one is kept: before it, only `keys` knows the instants.
        if forgotten < thinned.len() {
            thinned.remove(forgotten);
        }
        let thinned = seen(&thinned);
        for number in all[0].size..32 {
            let at = Timestamp::UNIX_EPOCH;
            prop_assert!(!whole.holds(number, at) || thinned.holds(number, at));
        }
    }
}
