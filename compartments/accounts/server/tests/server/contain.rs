//! The orders of `response` hold at once, and after a restart.

use accounts_api::{
    BAD_CREDENTIALS, CheckPassword, CheckSession, CompleteReset, CreateCustomer, FreezeCaller,
    ImportCustomers, NO_SESSION, OpenSession, ReadContacts, RequestReset, RevokeSessions, Session,
    VOID_TAKES_TWO, VoidCredentials, VoidOutcome, VoidWhose,
};
use cofferdam_core::{Personal, Record};
use cofferdam_wire::{CallError, Client, ProblemType};
use jiff::{SignedDuration, Timestamp};
use keys_api::{ORDER_REFUSED, RevokedKey};
use roaring::RoaringBitmap;

use crate::support::{Shop, ada, everybody, legacy_row, person, refused};

const PASSWORD: &str = "correct horse battery";

async fn create(web: &Client, profile: accounts_api::Profile) -> Record {
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
    let ada = create(&web, ada()).await;
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
async fn revoked_sessions_end_at_once_and_later_ones_live() {
    let shop = Shop::open().await;
    let web = shop.client("web-1");
    create(&web, ada()).await;
    let old = sign_in(&web, "ada@example.org", PASSWORD).await.unwrap();
    let opened = shop.now();
    shop.clock.advance(SignedDuration::from_secs(1));
    let young = sign_in(&web, "ada@example.org", PASSWORD).await.unwrap();

    let revoke = RevokeSessions { incident: 1, opened_before: opened };
    let response = shop.client("response-1");
    assert_eq!(response.call(&revoke).await.unwrap(), 1);
    assert_eq!(response.call(&revoke).await.unwrap(), 0, "they had ended already");
    let check = async |web: &Client, session: &Session| {
        web.call(&CheckSession { token: session.token.clone() }).await
    };
    refused(check(&web, &old).await, NO_SESSION);
    assert!(check(&web, &young).await.is_ok());

    let shop = shop.restart().await;
    let web = shop.client("web-1");
    refused(check(&web, &old).await, NO_SESSION);
    assert!(check(&web, &young).await.is_ok());
    let opened_before = shop.now() + SignedDuration::from_mins(6);
    let future = RevokeSessions { incident: 1, opened_before };
    let future = shop.client("response-1").call(&future).await;
    refused(future, ProblemType::BAD_REQUEST);
}

#[tokio::test]
async fn a_frozen_caller_is_refused_until_it_is_thawed() {
    let shop = Shop::open().await;
    let (web, other) = (shop.client("web-1"), shop.client("web-2"));
    create(&web, ada()).await;
    let freeze = |caller: &str, frozen| FreezeCaller {
        caller: caller.parse().unwrap(),
        frozen,
        reason: "it fell".into(),
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
        records.push(create(&web, person(n)).await);
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

#[tokio::test]
async fn one_person_shuts_out_some_customers_and_nobody_else() {
    let shop = Shop::open().await;
    let (web, response) = (shop.client("web-1"), shop.client("response-1"));
    let ada = create(&web, ada()).await;
    create(&web, person(1)).await;
    let session = sign_in(&web, "ada@example.org", PASSWORD).await.unwrap();
    shop.clock.advance(SignedDuration::from_secs(1));
    let only = |records: Vec<u32>| {
        let mut roaring = Vec::new();
        records.into_iter().collect::<RoaringBitmap>().serialize_into(&mut roaring).unwrap();
        VoidCredentials { incident: 1, set_before: shop.now(), whose: VoidWhose::Only { roaring } }
    };
    let done = response.call(&only(vec![ada.0])).await.unwrap();
    assert_eq!(done.customers, 1);
    refused(sign_in(&web, "ada@example.org", PASSWORD).await, BAD_CREDENTIALS);
    let token = session.token;
    refused(web.call(&CheckSession { token }).await, NO_SESSION);
    let other = person(1).email;
    sign_in(&web, other.expose(), PASSWORD).await.unwrap();

    let too_many = response.call(&only((0..2_000).collect())).await;
    refused(too_many, VOID_TAKES_TWO);
    let garbage = VoidWhose::Only { roaring: vec![1, 2, 3] };
    let garbage = VoidCredentials { incident: 1, set_before: shop.now(), whose: garbage };
    refused(response.call(&garbage).await, ProblemType::BAD_REQUEST);
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

#[tokio::test]
async fn a_revoked_key_is_refused_within_a_second_and_after_a_restart_without_keys() {
    let shop = Shop::open().await;
    let stolen = shop.client("web-1");
    create(&stolen, ada()).await;
    let (caller, key) = ("web-1".parse().unwrap(), shop.public_key("web-1"));
    shop.keys.book().revoked = vec![RevokedKey { caller, key }];
    let refused = async |client: &Client| {
        let reset = RequestReset { email: Personal::new("ada@example.org") };
        client.call(&reset).await.is_err()
    };
    for _ in 0..200 {
        if refused(&stolen).await {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(refused(&stolen).await, "the open connection gets no answer");
    assert!(refused(&shop.client("web-1")).await);
    assert!(!refused(&shop.client("web-2")).await);
    shop.keys.book().revoked.clear();
    let shop = shop.restart().await;
    assert!(refused(&shop.client("web-1")).await, "the key is remembered");
    assert!(!refused(&shop.client("web-2")).await);
}
