//! Two instances on one PostgreSQL database: an order that was answered holds at both, and an
//! instance that does not know the newest orders serves no app server.

use std::collections::BTreeSet;

use accounts_api::{
    BAD_CREDENTIALS, CheckSession, CreateCustomer, FreezeCaller, NO_SESSION, OpenSession, Session,
};
use cofferdam_core::{Call, CustomerNumber, Personal};
use cofferdam_wire::{CallError, Client, ProblemType};
use jiff::SignedDuration;
use sqlx::Connection as _;
use testkit::Wire;
use testkit::postgres::Database;
use tokio::task::JoinSet;

use crate::contain::{PASSWORD, create};
use crate::support::{Instance, Shop, ada, everybody, person, refused};

/// A shop with two instances. The wire is between the second one and the database.
struct Pair {
    shop: Shop,
    second: Instance,
    wire: Wire,
    database: Database,
}

impl Pair {
    async fn open() -> Self {
        let database = Database::create().await;
        let dir = tempfile::tempdir().unwrap();
        let relay = "127.0.0.1:9".parse().unwrap();
        let shop = Shop::open_on(dir, database.url(), relay).await;
        let (wire, url) = Wire::to_database(&database.url()).await;
        let second = shop.another(&url).await;
        Self { shop, second, wire, database }
    }

    fn first(&self, caller: &str) -> Client {
        self.shop.client(caller)
    }

    fn second(&self, caller: &str) -> Client {
        self.shop.client_of(&self.second, caller)
    }

    /// The number of instances for which an order waits.
    async fn instances(&self) -> i64 {
        let mut connection = sqlx::AnyConnection::connect(&self.database.url()).await.unwrap();
        let count = sqlx::query_scalar("SELECT COUNT(*) FROM instance");
        count.fetch_one(&mut connection).await.unwrap()
    }

    async fn close(self) {
        self.second.stop().await;
        self.shop.stop().await;
    }
}

async fn sign_in(web: &Client, email: &str) -> Result<Session, CallError> {
    let (email, password) = (Personal::new(email), Personal::new(PASSWORD));
    web.call(&OpenSession { email, password }).await
}

fn check(session: &Session) -> CheckSession {
    CheckSession { token: session.token.clone() }
}

fn freeze(caller: &str, frozen: bool) -> FreezeCaller {
    let reason = "it fell".parse().unwrap();
    FreezeCaller { caller: caller.parse().unwrap(), frozen, incident: None, reason }
}

/// The answer to a call, once the instance knows the newest orders.
async fn answer<C: Call>(web: &Client, call: &C) -> Result<C::Answer, CallError> {
    loop {
        match web.call(call).await {
            Err(e) if e.is(ProblemType::ORDERS_UNKNOWN) => {}
            answer => return answer,
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_order_that_was_answered_holds_at_every_instance() {
    let pair = Pair::open().await;
    create(&pair.first("web-1"), ada()).await;
    let session = sign_in(&pair.second("web-1"), "ada@example.org").await.unwrap();
    pair.first("web-1").call(&check(&session)).await.unwrap();

    pair.first("response-1").call(&freeze("web-1", true)).await.unwrap();
    refused(pair.second("web-1").call(&check(&session)).await, ProblemType::FROZEN);
    pair.second("response-1").call(&freeze("web-1", false)).await.unwrap();
    pair.first("web-1").call(&check(&session)).await.unwrap();

    pair.shop.clock.advance(SignedDuration::from_secs(1));
    let order = everybody(pair.shop.now(), &["ann", "bob"]);
    let done = pair.first("response-1").call(&order).await.unwrap();
    assert_eq!((done.customers, done.sessions), (1, 1));
    refused(pair.second("web-1").call(&check(&session)).await, NO_SESSION);
    refused(sign_in(&pair.second("web-1"), "ada@example.org").await, BAD_CREDENTIALS);
    let again = pair.second("response-1").call(&order).await.unwrap();
    assert_eq!(again, done, "handed to the other instance, it is the same order");
    pair.close().await;
}

#[tokio::test]
async fn an_instance_without_its_database_serves_nobody_until_it_has_the_orders() {
    let pair = Pair::open().await;
    create(&pair.first("web-1"), ada()).await;
    let session = sign_in(&pair.second("web-1"), "ada@example.org").await.unwrap();
    pair.wire.cut();
    pair.first("response-1").call(&freeze("web-2", true)).await.unwrap();
    for caller in ["web-1", "web-2"] {
        let unknown = pair.second(caller).call(&check(&session)).await;
        refused(unknown, ProblemType::ORDERS_UNKNOWN);
    }
    assert_eq!(pair.instances().await, 1, "later orders don't wait for it");
    let order = everybody(pair.shop.now(), &["ann", "bob"]);
    pair.first("response-1").call(&order).await.unwrap();

    pair.wire.mend();
    refused(answer(&pair.second("web-2"), &check(&session)).await, ProblemType::FROZEN);
    refused(pair.second("web-1").call(&check(&session)).await, NO_SESSION);
    pair.first("response-1").call(&freeze("web-1", true)).await.unwrap();
    refused(pair.second("web-1").call(&check(&session)).await, ProblemType::FROZEN);
    pair.close().await;
}

#[tokio::test]
async fn an_instance_that_was_stopped_holds_up_no_order() {
    let Pair { shop, second, database, .. } = Pair::open().await;
    second.stop().await;
    let mut connection = sqlx::AnyConnection::connect(&database.url()).await.unwrap();
    let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM instance")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(left, 1);
    shop.stop().await;
}

/// No session outlives an order that was carried out while it was opened, wherever that was.
#[tokio::test]
async fn no_session_slips_past_an_order() {
    let pair = Pair::open().await;
    create(&pair.first("web-1"), ada()).await;
    let clock = pair.shop.clock.clone();
    let ticking = tokio::spawn(async move {
        loop {
            clock.advance(SignedDuration::from_millis(1));
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    });
    let mut opening = JoinSet::new();
    for n in 0..6 {
        let web = if n % 2 == 0 { pair.first("web-1") } else { pair.second("web-1") };
        opening.spawn(async move {
            let mut opened = Vec::new();
            while let Ok(session) = answer_sign_in(&web).await {
                opened.push(session);
            }
            opened
        });
    }
    // Sessions are being opened by now, at both instances.
    while pair.shop.keys.book().hardened.len() < 8 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let order = everybody(pair.shop.now(), &["ann", "bob"]);
    pair.first("response-1").call(&order).await.unwrap();
    let opened: Vec<Session> = opening.join_all().await.into_iter().flatten().collect();
    assert!(!opened.is_empty());
    for session in &opened {
        refused(pair.first("web-1").call(&check(session)).await, NO_SESSION);
        refused(answer(&pair.second("web-1"), &check(session)).await, NO_SESSION);
    }
    ticking.abort();
    pair.close().await;
}

async fn answer_sign_in(web: &Client) -> Result<Session, CallError> {
    let email = Personal::new("ada@example.org");
    answer(web, &OpenSession { email, password: Personal::new(PASSWORD) }).await
}

#[tokio::test]
async fn customers_of_two_instances_have_numbers_of_their_own() {
    let pair = Pair::open().await;
    let mut creating = JoinSet::new();
    for n in 0..12 {
        let web = if n % 2 == 0 { pair.first("web-1") } else { pair.second("web-1") };
        let create = CreateCustomer { profile: person(n), password: Personal::new(PASSWORD) };
        creating.spawn(async move { answer(&web, &create).await.unwrap() });
    }
    let numbers: BTreeSet<CustomerNumber> = creating.join_all().await.into_iter().collect();
    assert_eq!(numbers.len(), 12);
    pair.close().await;
}

/// Each instance reads the last order's number, and stores its own order as the next one.
#[tokio::test]
async fn orders_at_once_at_two_instances_are_both_kept() {
    let pair = Pair::open().await;
    create(&pair.first("web-1"), ada()).await;
    let long_ago = "2001-01-01T00:00:00Z".parse().unwrap();
    let [first, second] = [pair.first("response-1"), pair.second("response-1")];
    let [one, other] =
        [everybody(long_ago, &["ann", "bob"]), everybody(pair.shop.now(), &["ann", "bob"])];
    let (one, other) = tokio::join!(first.call(&one), second.call(&other));
    let numbers = BTreeSet::from([one.unwrap().order, other.unwrap().order]);
    assert_eq!(numbers, [1, 2].into());
    for web in [pair.first("web-1"), pair.second("web-1")] {
        refused(sign_in(&web, "ada@example.org").await, BAD_CREDENTIALS);
    }
    pair.close().await;
}
