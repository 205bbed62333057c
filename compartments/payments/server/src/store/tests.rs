//! The same suite on both databases.

use cofferdam_core::{CallerName, Epoch, FreezeCaller, Record};
use cofferdam_store::Location;
use payments_api::Brand;
use testkit::postgres;

use super::*;

fn card(record: u32) -> NewCard {
    let bytes = |tag: u8| [record.to_be_bytes().as_slice(), &[tag, 0, 255]].concat();
    NewCard {
        token_hash: bytes(1),
        card: SealedCard {
            record: Record(record),
            brand: Brand::Jcb,
            epoch: Epoch(7),
            number: bytes(2),
            expiry: bytes(3),
            masked: bytes(4),
        },
    }
}

async fn suite(location: Location) {
    let store = Store::open(&location).await.unwrap();
    assert_eq!((store.numbers_held().await.unwrap(), store.count_cards().await.unwrap()), (0, 0));

    let cards: Vec<_> = (0..1000).map(card).collect();
    store.insert_cards(&cards).await.unwrap();
    for NewCard { token_hash, card } in [&cards[0], &cards[99], &cards[100], &cards[999]] {
        assert_eq!(store.find_card(token_hash).await.unwrap().as_ref(), Some(card));
    }
    assert_eq!(store.find_card(b"none").await.unwrap(), None);

    // If a number or a token exists already, nothing of the call is stored.
    let mut same_token = card(2000);
    same_token.token_hash = card(5).token_hash;
    for twice in [card(5), same_token] {
        assert!(store.insert_cards(&[card(1000), twice]).await.is_err());
    }
    assert_eq!(store.find_card(&card(1000).token_hash).await.unwrap(), None);

    let last = card(u32::MAX - 1);
    store.insert_cards(std::slice::from_ref(&last)).await.unwrap();
    assert_eq!(store.find_card(&last.token_hash).await.unwrap(), Some(last.card));

    let db = store.db();
    assert_eq!(db.numbers_reserved().await.unwrap(), 0, "no card was there at the first start");
    db.skip_numbers(7).await.unwrap();
    assert_eq!(db.reserve_numbers(3).await.unwrap(), Some(Record(7)));

    let now = "2012-01-15T04:00:00Z".parse().unwrap();
    let caller: CallerName = "checkout-1".parse().unwrap();
    let reason = "it fell".parse().unwrap();
    let order = FreezeCaller { caller: caller.clone(), frozen: true, incident: None, reason };
    for (frozen, count) in [(true, 1), (true, 1), (false, 0), (false, 0), (true, 1)] {
        if frozen {
            db.freeze_caller(&order, now).await.unwrap();
        } else {
            let seen = db.generation().await.unwrap();
            assert!(db.thaw_caller(&caller, seen).await.unwrap().is_some());
        }
        assert_eq!(db.frozen_callers().await.unwrap().len(), count);
    }

    drop(store);
    let store = Store::open(&location).await.unwrap();
    assert_eq!(store.numbers_held().await.unwrap(), u32::MAX);
    assert_eq!(store.count_cards().await.unwrap(), 1001);
    assert!(store.db().frozen_callers().await.unwrap().contains(&caller));
}

#[tokio::test]
async fn on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    suite(Location::Sqlite(dir.path().join("payments.db"))).await;
}

#[tokio::test]
async fn on_postgres() {
    let database = postgres::Database::create().await;
    suite(database.location()).await;
}

/// After a clean stop, the database file alone holds everything. A page that was changed is found.
#[tokio::test]
async fn damage_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("payments.db"), dir.path().join("copy.db"));
    let store = Store::open(&Location::Sqlite(path.clone())).await.unwrap();
    store.insert_cards(&(0..1000).map(card).collect::<Vec<_>>()).await.unwrap();
    // A process that was killed leaves the files like this.
    std::fs::copy(&path, dir.path().join("killed.db")).unwrap();
    std::fs::copy(dir.path().join("payments.db-wal"), dir.path().join("killed.db-wal")).unwrap();
    assert_eq!(store.db().find_damage().await.unwrap(), None);
    store.db().close().await;
    let killed = Store::open(&Location::Sqlite(dir.path().join("killed.db"))).await.unwrap();
    assert!(killed.db().was_left_open());
    assert_eq!(killed.count_cards().await.unwrap(), 1000);

    std::fs::copy(&path, &copy).unwrap();
    let whole = Store::open(&Location::Sqlite(copy.clone())).await.unwrap();
    assert!(!whole.db().was_left_open());
    assert_eq!(whole.count_cards().await.unwrap(), 1000);
    whole.db().close().await;
    let mut bytes = std::fs::read(&copy).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0x55);
    std::fs::write(&copy, bytes).unwrap();
    let damaged = Store::open(&Location::Sqlite(copy)).await.unwrap();
    assert!(damaged.db().find_damage().await.unwrap().is_some());
}
