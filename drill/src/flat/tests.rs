//! The conventional shop with and without a theft.

use std::path::Path;
use std::sync::Arc;

use cofferdam_core::{MockClock, Personal, SeededRng};

use super::replay::{AGENT, Replay};
use super::secrets::CardKey;
use super::shop::Config;
use super::*;

const CUSTOMERS: u32 = 2_000;

/// A customer. Every second one left a card.
fn person(number: u32) -> FlatPerson {
    FlatPerson {
        name: format!("Name {number}"),
        email: format!("n{number}@post.example"),
        phone: format!("+1 502 555 {number:04}"),
        billing_address: format!("{number} Main Street, Louisville"),
        shipping_address: format!("{number} Side Street, Louisville"),
        card_number: number.is_multiple_of(2).then(|| card(number)),
        password: Personal::new(format!("summer{number}")),
    }
}

fn card(number: u32) -> Personal {
    Personal::new(format!("400000{number:010}"))
}

async fn replay(dir: &Path, theft: bool) -> FlatReport {
    let size = &FlatSize { customers: CUSTOMERS, sign_ins: 40, close_looks: 100 };
    let clock = Arc::new(MockClock::at("2012-01-14T09:00:00Z".parse().unwrap()));
    let rng = Arc::new(SeededRng::new(2012));
    Replay { dir, size, person, clock, rng, theft }.run().await.unwrap()
}

#[tokio::test]
async fn everybody_is_lost_and_the_log_names_only_a_few() {
    let dir = tempfile::tempdir().unwrap();
    let report = replay(dir.path(), true).await;
    assert_eq!(report.records_lost, 2_000);
    for (field, lost) in &report.lost {
        let expected = if field.starts_with("card") { 1_000 } else { 2_000 };
        assert_eq!(*lost, expected, "{field}");
    }
    assert_eq!((report.cards_in_clear, report.log_lines_removed), (1_000, 2));
    assert!((30..=40).contains(&report.named_by_the_log), "{report:?}");
    assert!((70..=140).contains(&report.named_by_an_untouched_log), "{report:?}");
    assert_eq!((report.missed, report.wrong), (2_000 - report.named_by_the_log, 0));
    assert!(report.certain.contains("2000"), "{}", report.certain);
}

#[tokio::test]
async fn without_a_theft_nothing_leaves_but_what_traffic_showed() {
    let dir = tempfile::tempdir().unwrap();
    let report = replay(dir.path(), false).await;
    let shoppers = report.named_by_the_log;
    assert!((30..=40).contains(&shoppers), "{report:?}");
    assert_eq!((report.records_lost, report.lost["email"]), (shoppers, shoppers));
    assert_eq!((report.lost["password_hash"], report.lost["card_number"]), (0, 0));
    assert_eq!((report.cards_in_clear, report.log_lines_removed), (0, 0));
    assert_eq!((report.missed, report.wrong), (0, 0));
}

#[tokio::test]
async fn the_card_numbers_open_to_the_right_ones() {
    let dir = tempfile::tempdir().unwrap();
    replay(dir.path(), true).await;
    let config = Config::read(&dir.path().join("app.json")).unwrap();
    let (db, key) = (config.open().await.unwrap(), CardKey::new(&config.card_key));
    let sealed: Vec<(u32, Vec<u8>)> =
        sqlx::query_as("SELECT id, card_number FROM customers WHERE card_number IS NOT NULL")
            .fetch_all(&db)
            .await
            .unwrap();
    assert_eq!(sealed.len(), 1_000);
    for (id, sealed) in sealed {
        assert_eq!(key.open(&sealed), Some(card(id)));
    }
    db.close().await;
}

#[tokio::test]
async fn the_thief_leaves_no_line_and_no_session() {
    let dir = tempfile::tempdir().unwrap();
    replay(dir.path(), true).await;
    let config = Config::read(&dir.path().join("app.json")).unwrap();
    let log = std::fs::read_to_string(&config.access_log).unwrap();
    // Each of the forty customers signed in once and read the account twice.
    assert_eq!(log.lines().count(), 3 * 40);
    assert!(log.lines().all(|line| line.contains(AGENT) && !line.contains("desk")), "{log}");
    let db = config.open().await.unwrap();
    let desk: u32 = sqlx::query_scalar("SELECT count(*) FROM sessions WHERE customer IS NULL")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(desk, 0);
    db.close().await;
}

#[tokio::test]
async fn a_seed_gives_the_same_visits() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, other) = (replay(one.path(), true).await, replay(other.path(), true).await);
    let counts = |report: &FlatReport| (report.named_by_the_log, report.named_by_an_untouched_log);
    assert_eq!(counts(&one), counts(&other));
}

#[tokio::test]
async fn a_second_shop_in_the_same_place_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    replay(dir.path(), false).await;
    let size = &FlatSize { customers: 1, sign_ins: 0, close_looks: 0 };
    let clock = Arc::new(MockClock::at("2012-01-14T09:00:00Z".parse().unwrap()));
    let error = run(dir.path(), size, person, clock, Arc::new(SeededRng::new(1))).await;
    assert!(error.unwrap_err().to_string().contains("exists"));
}
