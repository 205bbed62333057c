//! The orders of `response` hold at once, and after a restart.

use accounts_api::{
    BAD_CREDENTIALS, CheckPassword, CheckSession, CompleteReset, CreateCustomer, FreezeCaller,
    ImportCustomers, NO_SESSION, OpenSession, ReadContacts, RequestReset, Session, VOID_TAKES_TWO,
    VoidCredentials, VoidOutcome, VoidWhose,
};
use cofferdam_core::{CustomerNumber, FREEZE_NOT_HELD, Personal, Record, STILL_HELD};
use cofferdam_wire::{CallError, Client, ProblemType};
use jiff::{SignedDuration, Timestamp};
use keys_api::{Hold, HoldId, ORDER_REFUSED};
use roaring::RoaringBitmap;

use crate::support::{Shop, ada, everybody, legacy_row, of_set, person, refused};

pub const PASSWORD: &str = "correct horse battery";

pub async fn create(web: &Client, profile: accounts_api::Profile) -> CustomerNumber {
    web.call(&CreateCustomer { profile, password: Personal::new(PASSWORD) }).await.unwrap()
}

async fn sign_in(web: &Client, email: &str, password: &str) -> Result<Session, CallError> {
    let (email, password) = (Personal::new(email), Personal::new(password));
    web.call(&OpenSession { email, password }).await
}

async fn void(shop: &Shop, set_before: Timestamp) -> Result<VoidOutcome, CallError> {
    shop.client("response-1").call(&everybody(set_before, &["ann", "bob"])).await
}

#[tokio::test]
async fn a_void_a_wrong_and_an_unknown_password_are_refused_alike() {
    let shop = Shop::open().await;
    let web = shop.client("web-1");
    let ada = shop.record(create(&web, ada()).await).await;
    shop.clock.advance(SignedDuration::from_secs(1));
    void(&shop, shop.now()).await.unwrap();

    shop.keys.book().hardened.clear();
    let mut refusals = Vec::new();
    for (email, password) in [
        ("ada@example.org", PASSWORD),
        ("ada@example.org", "wrong password"),
        ("nobody@example.org", PASSWORD),
    ] {
        let (email, password) = (Personal::new(email), Personal::new(password));
        let check = CheckPassword { email: email.clone(), password: password.clone() };
        refusals.push(web.call(&check).await.unwrap_err().problem().cloned());
        let open = OpenSession { email, password };
        refusals.push(web.call(&open).await.unwrap_err().problem().cloned());
    }
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]), "{refusals:?}");
    assert_eq!(refusals[0].as_ref().unwrap().code(), BAD_CREDENTIALS.code);
    // Each attempt was hashed and hardened.
    let hardened: Vec<_> = shop.keys.book().hardened.iter().map(|of| of.1[0]).collect();
    assert_eq!(hardened, [ada, ada, ada, ada, Record::NOBODY, Record::NOBODY]);
}

#[tokio::test]
async fn a_void_password_opens_nothing_before_and_after_a_restart() {
    let shop = Shop::open().await;
    let web = shop.client("web-1");
    create(&web, ada()).await;
    create(&web, person(1)).await;
    shop.clock.advance(SignedDuration::from_secs(1));
    let order = void(&shop, shop.now()).await.unwrap();
    assert_eq!((order.order, order.customers), (1, 2));
    shop.clock.advance(SignedDuration::from_secs(1));
    create(&web, person(2)).await;

    refused(sign_in(&web, "ada@example.org", PASSWORD).await, BAD_CREDENTIALS);
    refused(sign_in(&web, "ada@example.org", "wrong password").await, BAD_CREDENTIALS);
    let later = person(2).email;
    sign_in(&web, later.expose(), PASSWORD).await.unwrap();

    let shop = shop.restart().await;
    let web = shop.client("web-1");
    refused(sign_in(&web, "ada@example.org", PASSWORD).await, BAD_CREDENTIALS);
    // An instant that is a little in the future means now, because the controller's clock may be
    // ahead.
    let ahead = shop.now() + SignedDuration::from_secs(30);
    let ahead = void(&shop, ahead).await.unwrap();
    assert_eq!((ahead.order, ahead.customers), (2, 3));
    let future = void(&shop, shop.now() + SignedDuration::from_mins(6)).await;
    refused(future, ProblemType::BAD_REQUEST);
}

#[tokio::test]
async fn a_rehash_does_not_make_a_password_younger() {
    let shop = Shop::open().await;
    let rows = vec![legacy_row(1, ada(), "old1")];
    let import = ImportCustomers { source: "file".into(), rows };
    shop.client("import-1").call(&import).await.unwrap();
    let imported = shop.now();
    shop.clock.advance(SignedDuration::from_hours(1));
    let web = shop.client("web-1");
    sign_in(&web, "ada@example.org", "old1").await.unwrap();
    assert_eq!(void(&shop, imported).await.unwrap().customers, 1);
    let right = sign_in(&web, "ada@example.org", "old1").await;
    refused(right, BAD_CREDENTIALS);
}

#[tokio::test]
async fn an_order_over_everybody_ends_every_session_and_later_ones_live() {
    let shop = Shop::open().await;
    let web = shop.client("web-1");
    create(&web, ada()).await;
    let old = sign_in(&web, "ada@example.org", PASSWORD).await.unwrap();
    shop.clock.advance(SignedDuration::from_secs(1));
    // Even an order over very old passwords ends all sessions.
    let long_ago = "2001-01-01T00:00:00Z".parse().unwrap();
    let done = void(&shop, long_ago).await.unwrap();
    assert_eq!((done.customers, done.sessions), (0, 1));
    shop.clock.advance(SignedDuration::from_secs(1));
    let young = sign_in(&web, "ada@example.org", PASSWORD).await.unwrap();
    let check = async |web: &Client, session: &Session| {
        web.call(&CheckSession { token: session.token.clone() }).await
    };
    refused(check(&web, &old).await, NO_SESSION);
    assert!(check(&web, &young).await.is_ok());

    let shop = shop.restart().await;
    let web = shop.client("web-1");
    refused(check(&web, &old).await, NO_SESSION);
    assert!(check(&web, &young).await.is_ok());
}

#[tokio::test]
async fn a_frozen_caller_is_refused_until_it_is_thawed() {
    let shop = Shop::open().await;
    let (web, other) = (shop.client("web-1"), shop.client("web-2"));
    create(&web, ada()).await;
    let freeze = |caller: &str, frozen| FreezeCaller {
        caller: caller.parse().unwrap(),
        frozen,
        incident: None,
        reason: "it fell".parse().unwrap(),
    };
    shop.client("response-1").call(&freeze("web-1", true)).await.unwrap();
    let create_bob = CreateCustomer { profile: person(1), password: Personal::new(PASSWORD) };
    let email = Personal::new("ada@example.org");
    let reset = RequestReset { email };
    let (code, password) = (Personal::new("0"), Personal::new(PASSWORD));
    let complete = CompleteReset { code, password };
    refused(web.call(&create_bob).await, ProblemType::FROZEN);
    refused(web.call(&reset).await, ProblemType::FROZEN);
    refused(web.call(&complete).await, ProblemType::FROZEN);
    refused(sign_in(&web, "ada@example.org", PASSWORD).await, ProblemType::FROZEN);
    sign_in(&other, "ada@example.org", PASSWORD).await.unwrap();

    let shop = shop.restart().await;
    let (web, response) = (shop.client("web-1"), shop.client("response-1"));
    refused(web.call(&reset).await, ProblemType::FROZEN);
    shop.keys.book().holds = vec![Hold { incident: 2, hold: HoldId(1) }];
    refused(response.call(&freeze("web-1", false)).await, STILL_HELD);
    shop.keys.book().holds.clear();
    response.call(&freeze("web-1", false)).await.unwrap();
    sign_in(&web, "ada@example.org", PASSWORD).await.unwrap();
    let own = response.call(&freeze("response-1", true)).await;
    refused(own, ProblemType::BAD_REQUEST);
}

#[tokio::test]
async fn contacts_are_read_under_a_warrant_and_decoys_left_out() {
    let shop = Shop::open().await;
    shop.keys.book().decoy_one_in = 4;
    let web = shop.client("web-1");
    let mut records = Vec::new();
    for n in 0..12 {
        records.push(shop.record(create(&web, person(n)).await).await);
    }
    let upto = records[11].0;
    let warrant = "0123456789abcdef0123456789abcdef".to_owned();
    let everybody = (0..=upto).map(Record).collect();
    let response = shop.client("response-1");
    let bad = ReadContacts { warrant: "1".into(), records: records.clone() };
    refused(response.call(&bad).await, ProblemType::BAD_REQUEST);
    let call = ReadContacts { warrant: warrant.clone(), records: everybody };
    let contacts = response.call(&call).await.unwrap();

    let found: Vec<Record> = contacts.contacts.iter().map(|c| c.record).collect();
    assert_eq!(found, records);
    assert_eq!(contacts.contacts[3].email, person(3).email);
    assert_eq!(contacts.contacts[3].name, person(3).name);
    assert_eq!(contacts.decoys.len() + records.len(), upto as usize + 1);
    let book = shop.keys.book();
    assert!(contacts.decoys.iter().all(|r| book.is_decoy(*r)) && !contacts.decoys.is_empty());
    let last = book.released.last().unwrap();
    assert_eq!(last.warrant.unwrap().to_string(), warrant);
    assert_eq!(last.caller.as_str(), "response-1");
}

fn only(shop: &Shop, incident: u32, records: impl IntoIterator<Item = u32>) -> VoidCredentials {
    let mut roaring = Vec::new();
    records.into_iter().collect::<RoaringBitmap>().serialize_into(&mut roaring).unwrap();
    let whose = VoidWhose::Only { roaring, again: false };
    VoidCredentials { incident, set_before: shop.now(), whose }
}

/// A shop with 200 customers, numbered from 0. A tenth of them, after what could be decoys, is 19.
async fn large_shop() -> Shop {
    let shop = Shop::open().await;
    let row = |n: u32| legacy_row(u64::from(n) + 1, person(n.into()), "old1");
    let import = ImportCustomers { source: "file".into(), rows: (0..200).map(row).collect() };
    shop.client("import-1").call(&import).await.unwrap();
    shop.clock.advance(SignedDuration::from_secs(1));
    shop
}

#[tokio::test]
async fn one_person_shuts_out_some_customers_and_nobody_else() {
    let shop = Shop::open().await;
    let (web, response) = (shop.client("web-1"), shop.client("response-1"));
    let ada = shop.record(create(&web, ada()).await).await;
    create(&web, person(1)).await;
    let session = sign_in(&web, "ada@example.org", PASSWORD).await.unwrap();
    shop.clock.advance(SignedDuration::from_secs(1));
    let done = response.call(&only(&shop, 1, [ada.0, 900])).await.unwrap();
    assert_eq!((done.customers, done.sessions), (1, 1), "nobody is number 900");
    refused(sign_in(&web, "ada@example.org", PASSWORD).await, BAD_CREDENTIALS);
    let token = session.token;
    refused(web.call(&CheckSession { token }).await, NO_SESSION);
    let other = person(1).email;
    sign_in(&web, other.expose(), PASSWORD).await.unwrap();

    let nobody = response.call(&only(&shop, 1, [900])).await;
    refused(nobody, ProblemType::NOT_FOUND);
    let garbage = VoidWhose::Only { roaring: vec![1, 2, 3], again: false };
    let garbage = VoidCredentials { incident: 1, set_before: shop.now(), whose: garbage };
    refused(response.call(&garbage).await, ProblemType::BAD_REQUEST);
}

#[tokio::test]
async fn one_person_shuts_out_a_tenth_in_a_day_over_all_incidents_and_restarts() {
    let shop = large_shop().await;
    let response = shop.client("response-1");
    refused(response.call(&only(&shop, 1, 0..20)).await, VOID_TAKES_TWO);
    assert_eq!(response.call(&only(&shop, 1, 0..10)).await.unwrap().customers, 10);
    shop.clock.advance(SignedDuration::from_hours(1));
    refused(response.call(&only(&shop, 1, 10..20)).await, VOID_TAKES_TWO);
    // The same customers again shut nobody out anew.
    assert_eq!(response.call(&only(&shop, 2, 0..10)).await.unwrap().customers, 10);
    assert_eq!(response.call(&only(&shop, 2, 10..19)).await.unwrap().customers, 9);

    let shop = shop.restart().await;
    let response = shop.client("response-1");
    refused(response.call(&only(&shop, 3, [50])).await, VOID_TAKES_TWO);
    // Two people may.
    response.call(&everybody(shop.now(), &["ann", "bob"])).await.unwrap();
    // The first ten count until a day after their order, and the rest an hour longer.
    shop.clock.advance(SignedDuration::from_hours(23));
    let web = shop.client("web-1");
    for n in 0..12 {
        create(&web, person(300 + n)).await;
    }
    shop.clock.advance(SignedDuration::from_secs(1));
    let newest = shop.keys.book().hardened.iter().rev().take(12).map(|(_, of)| of[0].0).collect();
    let newest: Vec<u32> = newest;
    refused(response.call(&only(&shop, 4, newest.clone())).await, VOID_TAKES_TWO);
    assert_eq!(response.call(&only(&shop, 4, newest[..11].to_vec())).await.unwrap().customers, 11);
}

#[tokio::test]
async fn one_person_ends_a_handful_of_sessions_or_a_tenth() {
    let shop = large_shop().await;
    let (web, response) = (shop.client("web-1"), shop.client("response-1"));
    for n in 0..7 {
        sign_in(&web, person(n).email.expose(), "old1").await.unwrap();
    }
    shop.clock.advance(SignedDuration::from_secs(1));
    refused(response.call(&only(&shop, 1, 0..6)).await, VOID_TAKES_TWO);
    assert_eq!(response.call(&only(&shop, 1, 0..5)).await.unwrap().sessions, 5);
    refused(response.call(&only(&shop, 1, [5])).await, VOID_TAKES_TWO);
    assert_eq!(response.call(&only(&shop, 1, [100])).await.unwrap().sessions, 0);
}

#[tokio::test]
async fn an_order_given_again_voids_nothing_that_was_set_since_unless_it_says_so() {
    let shop = Shop::open().await;
    let (web, response) = (shop.client("web-1"), shop.client("response-1"));
    let ada = shop.record(create(&web, ada()).await).await;
    shop.clock.advance(SignedDuration::from_secs(1));
    // An order over old passwords covers ada, and does not void hers.
    let long_ago = "2001-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(void(&shop, long_ago).await.unwrap().customers, 0);
    shop.clock.advance(SignedDuration::from_secs(1));
    let bob = shop.record(create(&web, person(1)).await).await;
    shop.clock.advance(SignedDuration::from_secs(1));
    let both = response.call(&only(&shop, 1, [ada.0, bob.0])).await.unwrap();
    assert_eq!((both.order, both.customers, both.created_since), (2, 1, 1));
    sign_in(&web, person(1).email.expose(), PASSWORD).await.unwrap();
    let again = response.call(&only(&shop, 1, [bob.0])).await.unwrap();
    assert_eq!((again.order, again.customers, again.created_since), (2, 0, 1));
    let other = response.call(&only(&shop, 2, [ada.0])).await.unwrap();
    assert_eq!((other.order, other.customers, other.left_out), (3, 1, 0), "another incident");
    let mut explicit = only(&shop, 1, [bob.0]);
    if let VoidWhose::Only { again, .. } = &mut explicit.whose {
        *again = true;
    }
    let explicit = response.call(&explicit).await.unwrap();
    assert_eq!((explicit.order, explicit.customers, explicit.left_out), (4, 1, 0));
    let right = sign_in(&web, person(1).email.expose(), PASSWORD).await;
    refused(right, BAD_CREDENTIALS);
}

#[tokio::test]
async fn the_same_order_again_gets_the_first_answer_and_another_is_carried_out() {
    let shop = Shop::open().await;
    let (web, response) = (shop.client("web-1"), shop.client("response-1"));
    create(&web, ada()).await;
    sign_in(&web, "ada@example.org", PASSWORD).await.unwrap();
    shop.clock.advance(SignedDuration::from_secs(1));
    let order = everybody(shop.now(), &["ann", "bob"]);
    let first = response.call(&order).await.unwrap();
    assert_eq!((first.order, first.customers, first.sessions), (1, 1, 1));
    shop.clock.advance(SignedDuration::from_secs(1));
    create(&web, person(1)).await;
    let email = person(1).email;
    let session = sign_in(&web, email.expose(), PASSWORD).await.unwrap();
    shop.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(response.call(&order).await.unwrap(), first);

    let shop = shop.restart().await;
    let (web, response) = (shop.client("web-1"), shop.client("response-1"));
    assert_eq!(response.call(&order).await.unwrap(), first);
    let token = session.token;
    web.call(&CheckSession { token: token.clone() }).await.unwrap();
    let second = response.call(&everybody(shop.now(), &["ann", "bob"])).await.unwrap();
    assert_eq!((second.order, second.customers, second.sessions), (2, 2, 1));
    refused(web.call(&CheckSession { token }).await, NO_SESSION);
}

#[tokio::test]
async fn everybody_is_shut_out_only_by_an_order_that_two_people_signed() {
    let shop = Shop::open().await;
    let (web, response) = (shop.client("web-1"), shop.client("response-1"));
    create(&web, ada()).await;
    shop.clock.advance(SignedDuration::from_secs(1));
    let good = everybody(shop.now(), &["ann", "bob"]);
    let alone = everybody(shop.now(), &["ann"]);
    refused(response.call(&alone).await, ORDER_REFUSED);
    for other in [
        VoidCredentials { incident: 2, ..good.clone() },
        VoidCredentials { set_before: shop.now() - SignedDuration::from_secs(1), ..good.clone() },
    ] {
        refused(response.call(&other).await, ProblemType::BAD_REQUEST);
    }
    sign_in(&web, "ada@example.org", PASSWORD).await.unwrap();
    response.call(&good).await.unwrap();
    refused(sign_in(&web, "ada@example.org", PASSWORD).await, BAD_CREDENTIALS);
}

/// Two people void any number of customers by name, and nobody else.
#[tokio::test]
async fn two_people_shut_out_any_set_and_one_person_does_not() {
    let shop = large_shop().await;
    let (web, response) = (shop.client("web-1"), shop.client("response-1"));
    let password = async |n: u64| sign_in(&web, person(n).email.expose(), "old1").await;
    let session = sign_in(&web, person(7).email.expose(), "old1").await.unwrap();
    shop.clock.advance(SignedDuration::from_secs(1));
    let set_before = shop.now() - SignedDuration::from_secs(1);
    let set = |signers: &[&str], records: std::ops::Range<u32>| {
        of_set(set_before, signers, &records.map(Record).collect())
    };
    refused(response.call(&only(&shop, 1, 0..150)).await, VOID_TAKES_TWO);
    refused(response.call(&set(&["ann"], 0..150)).await, ORDER_REFUSED);
    refused(response.call(&set(&["ann", "ann"], 0..150)).await, ORDER_REFUSED);
    // A signed order is for the set that it names, and an order over a set is none over everybody.
    let good = set(&["ann", "bob"], 0..150);
    let VoidWhose::Set { order, .. } = &good.whose else { panic!("not a set") };
    let mut roaring = Vec::new();
    (0..151).collect::<RoaringBitmap>().serialize_into(&mut roaring).unwrap();
    let more = VoidWhose::Set { order: order.clone(), roaring };
    let everybody = VoidWhose::Everybody { order: order.clone() };
    for whose in [more, everybody] {
        let bad = VoidCredentials { whose, ..good.clone() };
        refused(response.call(&bad).await, ProblemType::BAD_REQUEST);
    }
    password(149).await.unwrap();

    let done = response.call(&good).await.unwrap();
    assert_eq!((done.customers, done.left_out), (150, 0));
    assert_eq!(done.sessions, 2, "also a session from after the instant");
    refused(password(149).await, BAD_CREDENTIALS);
    refused(web.call(&CheckSession { token: session.token.clone() }).await, NO_SESSION);
    password(150).await.unwrap();
    assert_eq!(response.call(&good).await.unwrap(), done, "the same order again");
    let shop = shop.restart().await;
    let web = shop.client("web-1");
    refused(sign_in(&web, person(149).email.expose(), "old1").await, BAD_CREDENTIALS);
    refused(web.call(&CheckSession { token: session.token }).await, NO_SESSION);
    sign_in(&web, person(150).email.expose(), "old1").await.unwrap();
    // A signed order takes nothing from the limit of one person.
    let response = shop.client("response-1");
    response.call(&only(&shop, 1, 150..160)).await.unwrap();
}

/// Customers who came since an order over everybody had nothing to void, and are counted apart from
/// those who set a new password.
#[tokio::test]
async fn customers_who_came_since_are_told_apart_from_those_who_set_a_password_since() {
    let shop = Shop::open().await;
    let (web, response) = (shop.client("web-1"), shop.client("response-1"));
    let ada = shop.record(create(&web, ada()).await).await;
    shop.clock.advance(SignedDuration::from_secs(1));
    void(&shop, shop.now()).await.unwrap();
    shop.clock.advance(SignedDuration::from_secs(1));
    let bob = shop.record(create(&web, person(1)).await).await;
    shop.clock.advance(SignedDuration::from_secs(1));
    let both = response.call(&only(&shop, 1, [ada.0, bob.0])).await.unwrap();
    assert_eq!((both.customers, both.left_out, both.created_since), (1, 0, 1));
    sign_in(&web, person(1).email.expose(), PASSWORD).await.unwrap();
}

fn order(frozen: bool) -> FreezeCaller {
    let (caller, reason) = ("web-1".parse().unwrap(), "it fell".parse().unwrap());
    FreezeCaller { caller, frozen, incident: Some(2), reason }
}

/// `keys` and the others get a freeze at the same time.
#[tokio::test]
async fn a_freeze_waits_until_keys_holds_it() {
    let shop = Shop::open().await;
    let response = shop.client("response-1");
    let freeze = order(true);
    let held_later = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        shop.keys.book().holds = vec![Hold { incident: 2, hold: HoldId(1) }];
    };
    let (frozen, ()) = tokio::join!(response.call(&freeze), held_later);
    frozen.unwrap();
    shop.keys.book().holds.clear();
    response.call(&order(false)).await.unwrap();
    shop.stop().await;
}

/// Only the end of a hold is signed, so a freeze without a hold must not end without one.
#[tokio::test]
async fn a_freeze_that_keys_never_held_is_not_thawed() {
    let shop = Shop::open().await;
    let response = shop.client("response-1");
    response.call(&order(true)).await.unwrap();
    refused(response.call(&order(false)).await, FREEZE_NOT_HELD);
    shop.keys.book().holds = vec![Hold { incident: 2, hold: HoldId(1) }];
    response.call(&order(true)).await.unwrap();
    refused(response.call(&order(false)).await, STILL_HELD);
    shop.keys.book().holds.clear();
    response.call(&order(false)).await.unwrap();
    shop.stop().await;
}
