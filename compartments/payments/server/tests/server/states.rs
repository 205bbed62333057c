//! A lost database, an older copy, and the decision to go on with it.

use std::fs;
use std::path::PathBuf;

use cofferdam_core::{Operation, Record, SystemRng};
use cofferdam_store::StoreError;
use keys_api::Standing;
use keys_client::{StateDifference, StateError};
use payments_server::{StartError, restore};
use sqlx::Connection as _;
use testkit::States;
use testkit::postgres::Database;

use crate::support::Till;

const VISA: &str = "4111111111111111";

/// The refusal of the next start.
async fn refusal(till: &mut Till) -> StateDifference {
    match till.try_start().await {
        Err(StartError::State(StateError::NotNewest(difference))) => difference,
        other => unreachable!("it was not refused as it must be: {other:?}"),
    }
}

/// The record of the last card that was sealed.
fn last_sealed(till: &Till) -> Record {
    *till.asked_for(Operation::Seal).last().unwrap()
}

fn remove_database(till: &Till) {
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(database(till).with_file_name(format!("payments.db{end}")));
    }
}

fn database(till: &Till) -> PathBuf {
    till.dir.path().join("payments.db")
}

#[tokio::test]
async fn a_lost_database_is_never_taken_for_a_new_one() {
    let mut till = Till::open().await;
    till.store(&[VISA, VISA]).await;
    till.stop().await;
    remove_database(&till);
    let difference = refusal(&mut till).await;
    assert_eq!((difference.standing, difference.given), (Standing::Missing, 2));
    let shown = restore(till.config(), till.clock.clone(), &SystemRng, false).await.unwrap();
    assert_eq!(shown.map(|of| of.standing), Some(Standing::Missing));
    refusal(&mut till).await;
    restore(till.config(), till.clock.clone(), &SystemRng, true).await.unwrap();
    till.start().await;
    till.store(&[VISA]).await;
    assert_eq!(last_sealed(&till), Record(2), "numbers that were given out point at nobody new");
}

#[tokio::test]
async fn an_older_copy_starts_only_when_staff_accept_it() {
    let mut till = Till::open().await;
    till.store(&[VISA]).await;
    till.stop().await;
    let copy = till.dir.path().join("copy");
    // The database alone holds everything after a clean stop.
    fs::copy(database(&till), &copy).unwrap();
    till.start().await;
    till.store(&[VISA, VISA]).await;
    till.stop().await;
    let newest = till.dir.path().join("newest");
    fs::copy(database(&till), &newest).unwrap();
    remove_database(&till);
    fs::copy(&copy, database(&till)).unwrap();
    let difference = refusal(&mut till).await;
    assert_eq!(difference.standing, Standing::Older);
    assert_eq!((difference.numbers, difference.given), (1, 3));
    restore(till.config(), till.clock.clone(), &SystemRng, true).await.unwrap();
    till.start().await;
    till.store(&[VISA]).await;
    assert_eq!(last_sealed(&till), Record(3));
    till.stop().await;
    remove_database(&till);
    fs::copy(&newest, database(&till)).unwrap();
    assert_eq!(refusal(&mut till).await.standing, Standing::GivenUp);
}

/// A database of an earlier version has no identity. It gets one when it is opened first.
#[tokio::test]
async fn a_database_without_an_identity_gets_one() {
    let mut till = Till::open().await;
    till.store(&[VISA]).await;
    till.stop().await;
    forget_identity(&till).await;
    till.keys.book().states = States::default();
    till.start().await;
    till.store(&[VISA]).await;
    assert_eq!(last_sealed(&till), Record(1));
}

/// A second process would not see the orders that the first one takes.
#[tokio::test]
async fn a_sqlite_file_serves_one_process() {
    let mut till = Till::open().await;
    let refused = till.try_start().await;
    assert!(matches!(refused, Err(StartError::Store(StoreError::InUse { .. }))), "{refused:?}");
    let accepted = restore(till.config(), till.clock.clone(), &SystemRng, true).await;
    assert!(matches!(accepted, Err(StartError::Store(StoreError::InUse { .. }))));
    till.stop().await;
    till.start().await;
    till.store(&[VISA]).await;
}

/// Its next beat would make the older database look like the newest one.
#[tokio::test]
async fn a_server_stops_when_its_database_goes_back() {
    let database = Database::create().await;
    let mut till = Till::open_on(tempfile::tempdir().unwrap(), &database.url()).await;
    let mut connection = sqlx::AnyConnection::connect(&database.url()).await.unwrap();
    let back = sqlx::query("UPDATE own_state SET beat_ms = beat_ms - 60000");
    back.execute(&mut connection).await.unwrap();
    till.ended().await;
    assert_eq!(refusal(&mut till).await.standing, Standing::Older);
}

async fn forget_identity(till: &Till) {
    let url = format!("sqlite://{}", database(till).display());
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    sqlx::query("DELETE FROM own_state").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
