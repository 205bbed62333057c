//! Sessions of a group, the proof of presence that `keys` gets, and the void orders that it learns.

use accounts_api::{
    CheckSession, CloseSession, CreateCustomer, NO_SESSION, OpenSession, ReadActivity,
    ReadCustomers, Session, VoidCredentials, VoidWhose,
};
use cofferdam_core::{CallerName, CustomerNumber, Field, FieldSet, Personal, Sha256};
use cofferdam_wire::Client;
use jiff::SignedDuration;
use roaring::RoaringBitmap;
use testkit::until;

use crate::support::{Shop, ada, refused};

const PASSWORD: &str = "correct horse battery";

fn name(text: &str) -> CallerName {
    text.parse().unwrap()
}

/// A shop whose two app servers share sessions, with a customer who is signed in at the first.
async fn group_with_ada() -> (Shop, [Client; 2], CustomerNumber, Session) {
    let shop = Shop::open().await;
    let group = [("web-1", "web"), ("web-2", "web")];
    shop.keys.book().groups = group.map(|(caller, group)| (name(caller), name(group))).into();
    let [web, other] = ["web-1", "web-2"].map(|caller| shop.client(caller));
    let (email, password) = (Personal::new("ada@example.org"), Personal::new(PASSWORD));
    let create = CreateCustomer { profile: ada(), password: password.clone() };
    let record = web.call(&create).await.unwrap();
    let mut session = None;
    // `accounts` learns the groups within half a second.
    until(async || {
        let sign_in = OpenSession { email: email.clone(), password: password.clone() };
        let opened = web.call(&sign_in).await.unwrap();
        let check = CheckSession { token: opened.token.clone() };
        let shared = other.call(&check).await.is_ok();
        session = Some(opened);
        shared
    })
    .await;
    (shop, [web, other], record, session.unwrap())
}

#[tokio::test]
async fn callers_of_a_group_share_sessions_and_others_do_not() {
    let (shop, [web, other], record, session) = group_with_ada().await;
    let check = CheckSession { token: session.token.clone() };
    for client in [&web, &other] {
        assert_eq!(client.call(&check).await.unwrap(), record);
    }
    refused(shop.client("import-1").call(&check).await, NO_SESSION);
    other.call(&CloseSession { token: session.token }).await.unwrap();
    refused(web.call(&check).await, NO_SESSION);
}

/// A scope must name those whose sessions passed through a fallen server, wherever they were opened.
#[tokio::test]
async fn a_session_counts_at_each_caller_that_saw_it() {
    let (shop, [web, other], number, session) = group_with_ada().await;
    let record = shop.record(number).await;
    let (from, to) = (shop.now(), shop.now() + SignedDuration::from_hours(1));
    let seen = async |caller: &str| {
        let read = ReadActivity { callers: Some(vec![name(caller)]), from, to };
        let opened = shop.client("response-1").call(&read).await.unwrap().opened;
        RoaringBitmap::deserialize_from(opened.as_slice()).unwrap().contains(record.0)
    };
    assert!(seen("web-1").await && seen("web-2").await);
    assert!(!seen("web-3").await);
    drop((web, other, session));
}

#[tokio::test]
async fn a_read_with_a_session_brings_keys_the_ticket_and_its_secret() {
    let (shop, [web, other], number, session) = group_with_ada().await;
    let (records, fields) = (vec![number], FieldSet::EMPTY.with(Field::Name));
    let read = ReadCustomers { records, fields, session: Some(session.token.clone()) };
    for client in [&web, &other] {
        client.call(&read).await.unwrap();
        let presence = shop.keys.book().presence.take().unwrap();
        assert_eq!(presence.record, shop.record(number).await);
        // The small `keys` gives the hash of the secret as the code of a ticket.
        assert_eq!(Sha256::of(presence.secret.expose()).0, *presence.ticket.mac.expose());
    }
    web.call(&ReadCustomers { session: None, ..read.clone() }).await.unwrap();
    assert!(shop.keys.book().presence.is_none());
    let invented = Some(Personal::new("A".repeat(43)));
    refused(web.call(&ReadCustomers { session: invented, ..read.clone() }).await, NO_SESSION);
    web.call(&CloseSession { token: session.token }).await.unwrap();
    refused(web.call(&read).await, NO_SESSION);
}

/// The order holds in `accounts` even while `keys` does not answer. `keys` learns its customers later.
#[tokio::test]
async fn keys_learns_the_customers_of_an_order_over_some() {
    let (shop, [web, _], number, session) = group_with_ada().await;
    let record = shop.record(number).await;
    shop.keys.book().refuse_notes = true;
    let mut roaring = Vec::new();
    RoaringBitmap::from([record.0]).serialize_into(&mut roaring).unwrap();
    let whose = VoidWhose::Only { roaring, again: false };
    let order = VoidCredentials { incident: 1, set_before: shop.now(), whose };
    shop.client("response-1").call(&order).await.unwrap();
    refused(web.call(&CheckSession { token: session.token }).await, NO_SESSION);
    assert!(shop.keys.book().voided.is_empty());
    shop.keys.book().refuse_notes = false;
    until(async || shop.keys.book().voided == [vec![record.0]]).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(shop.keys.book().voided.len(), 1, "it is named once");
}
