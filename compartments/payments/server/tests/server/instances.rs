//! Two instances on one PostgreSQL database: a freeze that was answered holds at both, and an instance
//! that does not know who is frozen serves nobody.

use std::time::Duration;

use cofferdam_core::Call;
use cofferdam_wire::{CallError, Client, ProblemType};
use payments_api::{CardToken, CountCards, FreezeCaller, ReadCard, StoreCards, StoredCard};
use testkit::Wire;
use testkit::postgres::Database;
use tokio::task::JoinSet;

use crate::support::{Instance, Till, card};

const VISA: &str = "4111111111111111";

/// A till with two instances. The wire is between the second one and the database.
async fn open() -> (Database, Till, Instance, Wire) {
    let database = Database::create().await;
    let till = Till::open_on(tempfile::tempdir().unwrap(), &database.url()).await;
    let (wire, url) = Wire::to_database(&database.url()).await;
    let second = till.another(&url).await;
    (database, till, second, wire)
}

fn freeze(caller: &str, frozen: bool) -> FreezeCaller {
    let reason = "it fell".parse().unwrap();
    FreezeCaller { caller: caller.parse().unwrap(), frozen, incident: None, reason }
}

/// Reads a card at the second instance.
async fn read(till: &Till, second: &Instance, token: &CardToken) -> Result<(), CallError> {
    let read = ReadCard { token: token.clone() };
    till.client_of(second, "checkout-1").call(&read).await.map(drop)
}

/// The answer to a call, once the instance knows who is frozen.
async fn answer<C: Call>(client: &Client, call: &C) -> Result<C::Answer, CallError> {
    loop {
        match client.call(call).await {
            Err(e) if e.is(ProblemType::ORDERS_UNKNOWN) => {}
            answer => return answer,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_freeze_that_was_answered_holds_at_every_instance() {
    let (_database, mut till, second, _wire) = open().await;
    let token = till.store(&[VISA]).await.remove(0).token;
    read(&till, &second, &token).await.unwrap();
    till.call("response-1", &freeze("checkout-1", true)).await.unwrap();
    let refused = read(&till, &second, &token).await.unwrap_err();
    assert!(refused.is(ProblemType::FROZEN), "{refused}");
    let thaw = freeze("checkout-1", false);
    till.client_of(&second, "response-1").call(&thaw).await.unwrap();
    till.store(&[VISA]).await;
    second.stop().await;
    till.stop().await;
}

#[tokio::test]
async fn an_instance_without_its_database_serves_nobody() {
    let (_database, mut till, second, wire) = open().await;
    let token = till.store(&[VISA]).await.remove(0).token;
    wire.cut();
    till.call("response-1", &freeze("checkout-1", true)).await.unwrap();
    let unknown = read(&till, &second, &token).await.unwrap_err();
    assert!(unknown.is(ProblemType::ORDERS_UNKNOWN), "{unknown}");
    wire.mend();
    let checkout = till.client_of(&second, "checkout-1");
    let refused = answer(&checkout, &ReadCard { token }).await.unwrap_err();
    assert!(refused.is(ProblemType::FROZEN), "{refused}");
    second.stop().await;
    till.stop().await;
}

#[tokio::test]
async fn cards_of_two_instances_have_numbers_of_their_own() {
    let (_database, mut till, second, _wire) = open().await;
    let mut storing = JoinSet::new();
    for n in 0..20 {
        let checkout = match n % 2 {
            0 => till.client("checkout-1"),
            _ => till.client_of(&second, "checkout-1"),
        };
        let store = StoreCards { cards: vec![card(VISA), card(VISA)] };
        storing.spawn(async move { answer(&checkout, &store).await.unwrap() });
    }
    let stored: Vec<StoredCard> = storing.join_all().await.into_iter().flatten().collect();
    for StoredCard { token, .. } in stored {
        answer(&till.client("checkout-1"), &ReadCard { token }).await.unwrap();
    }
    let count = answer(&till.client("response-1"), &CountCards {}).await.unwrap();
    assert_eq!(count, 40);
    second.stop().await;
    till.stop().await;
}
