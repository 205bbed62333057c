//! The sizes that a log was seen to have.

use cofferdam_core::Timestamp;
use response_api::{Sighting, Sightings};
use response_exposure::Window;

use crate::support::Tables;

on_both_databases!(
    those_before_and_after_a_window_decide,
    a_clock_that_was_set_back_narrows_nothing,
    a_size_keeps_its_first_and_its_last_instant,
    old_ones_are_thinned_to_one_a_minute,
);

const LOG: &str = "keys.example/log";

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

fn sighting(size: u64, first: i64, last: i64) -> Sighting {
    Sighting { size, first: at(first), last: at(last) }
}

async fn add(tables: &Tables, all: &[Sighting]) {
    for seen in all {
        tables.store.add_sighting(LOG, seen).await.unwrap();
    }
}

/// From 10 s to 20 s; the margin is two seconds.
async fn decide(tables: &Tables) -> Sightings {
    let window = Window::new(at(10_000), Some(at(20_000)));
    tables.store.sightings(LOG, window).await.unwrap()
}

async fn those_before_and_after_a_window_decide(tables: &Tables) {
    assert_eq!(decide(tables).await, Sightings::default());
    let all = [
        sighting(2, 1_000, 3_000),
        sighting(4, 4_000, 7_000),
        sighting(5, 7_999, 9_000),
        sighting(6, 8_000, 15_000),
        sighting(7, 20_000, 22_000),
        sighting(8, 22_001, 22_001),
        sighting(9, 30_000, 31_000),
    ];
    add(tables, &all).await;
    tables.store.add_sighting("another", &sighting(1, 0, 99_000)).await.unwrap();
    let expected = Sightings { earliest: Some(all[0]), before: Some(all[2]), after: Some(all[5]) };
    assert_eq!(decide(tables).await, expected);
    let open = Window::new(at(10_000), None);
    let open = tables.store.sightings(LOG, open).await.unwrap();
    assert_eq!((open.before, open.after), (Some(all[2]), None));
}

async fn a_clock_that_was_set_back_narrows_nothing(tables: &Tables) {
    // Size 6 was seen later than size 5, under an earlier time.
    let all = [
        sighting(2, 1_000, 3_000),
        sighting(5, 12_000, 13_000),
        sighting(6, 5_000, 25_000),
        sighting(7, 8_000, 9_000),
        sighting(9, 30_000, 31_000),
    ];
    add(tables, &all).await;
    let decided = decide(tables).await;
    assert_eq!((decided.before, decided.after), (Some(all[0]), Some(all[4])));
}

async fn a_size_keeps_its_first_and_its_last_instant(tables: &Tables) {
    add(tables, &[sighting(2, 5_000, 5_000), sighting(2, 4_000, 4_000), sighting(2, 6_000, 7_000)])
        .await;
    assert_eq!(decide(tables).await.earliest, Some(sighting(2, 4_000, 7_000)));
}

async fn old_ones_are_thinned_to_one_a_minute(tables: &Tables) {
    let second = |second: u32| {
        let ms = i64::from(second) * 1_000;
        sighting(u64::from(second), ms, ms)
    };
    let all: Vec<_> = (0..120).map(second).collect();
    add(tables, &all).await;
    let eight_days = 8 * 86_400_000;
    let thin = async |now| tables.store.thin_sightings(LOG, at(now)).await.unwrap();
    assert_eq!(thin(eight_days).await, 0);
    assert_eq!(thin(eight_days + 90_000).await, 88, "sizes 0 and 60 stay, and those from 90 on");
    assert_eq!(decide(tables).await.earliest, Some(all[0]));
}
