//! Signing in, and sessions.

use accounts_api::{
    BAD_CREDENTIALS, CheckPassword, CheckSession, CloseSession, CreateCustomer, ImportCustomers,
    ImportResult, NO_SESSION, OpenSession, Session,
};
use cofferdam_core::{CustomerNumber, Personal, Record};
use cofferdam_wire::{CallError, Client, ProblemType};
use jiff::SignedDuration;

use crate::support::{Shop, ada, legacy_row, refused};

const PASSWORD: &str = "correct horse battery";

async fn shop_with_ada() -> (Shop, Client, CustomerNumber) {
    let shop = Shop::open().await;
    let web = shop.client("web-1");
    let create = CreateCustomer { profile: ada(), password: Personal::new(PASSWORD) };
    let record = web.call(&create).await.unwrap();
    (shop, web, record)
}

async fn sign_in(web: &Client, password: &str) -> Result<Session, CallError> {
    let (email, password) = (Personal::new("ada@example.org"), Personal::new(password));
    web.call(&OpenSession { email, password }).await
}

#[tokio::test]
async fn a_session_lasts_twelve_hours_at_the_caller_that_opened_it() {
    let (shop, web, record) = shop_with_ada().await;
    let session = sign_in(&web, PASSWORD).await.unwrap();
    assert_eq!((session.record, session.token.expose().len()), (record, 43));
    assert_eq!(session.expires, shop.now() + SignedDuration::from_hours(12));

    let check = CheckSession { token: session.token.clone() };
    assert_eq!(web.call(&check).await.unwrap(), record);
    let elsewhere = shop.client("web-2");
    refused(elsewhere.call(&check).await, NO_SESSION);
    let close = CloseSession { token: session.token.clone() };
    refused(elsewhere.call(&close).await, NO_SESSION);
    assert_eq!(web.call(&check).await.unwrap(), record, "another caller closed it");

    shop.clock.advance(SignedDuration::from_hours(12) - SignedDuration::from_millis(1));
    assert!(web.call(&check).await.is_ok());
    shop.clock.advance(SignedDuration::from_millis(1));
    refused(web.call(&check).await, NO_SESSION);
}

#[tokio::test]
async fn a_closed_session_is_over_and_others_are_not() {
    let (_shop, web, record) = shop_with_ada().await;
    let closed = sign_in(&web, PASSWORD).await.unwrap();
    let open = sign_in(&web, PASSWORD).await.unwrap();
    web.call(&CloseSession { token: closed.token.clone() }).await.unwrap();
    let check = async |token| web.call(&CheckSession { token }).await;
    refused(check(closed.token).await, NO_SESSION);
    assert_eq!(check(open.token).await.unwrap(), record);
    refused(check(Personal::new("made up")).await, NO_SESSION);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    let (shop, web, record) = shop_with_ada().await;
    shop.keys.book().hardened.clear();
    let wrong = sign_in(&web, "wrong horse battery").await.unwrap_err();
    let email = Personal::new("nobody@example.org");
    let unknown = CheckPassword { email, password: Personal::new(PASSWORD) };
    let unknown = web.call(&unknown).await.unwrap_err();
    assert_eq!(wrong.problem(), unknown.problem());
    refused(Err::<(), _>(wrong), BAD_CREDENTIALS);
    // The log of keys names the customer whose password was tried, and NOBODY for the unknown
    // address.
    let hardened: Vec<_> = shop.keys.book().hardened.iter().map(|h| h.1.clone()).collect();
    assert_eq!(hardened, [shop.records(&[record]).await, vec![Record::NOBODY]]);
}

#[tokio::test]
async fn a_password_is_checked_without_a_session() {
    let (_shop, web, record) = shop_with_ada().await;
    let check = |password: &str| CheckPassword {
        email: Personal::new(" ADA@example.org"),
        password: Personal::new(password),
    };
    assert_eq!(web.call(&check(PASSWORD)).await.unwrap(), record);
    refused(web.call(&check("x")).await, BAD_CREDENTIALS);
    let endless = "x".repeat(801);
    refused(web.call(&check(&endless)).await, ProblemType::BAD_REQUEST);
}

#[tokio::test]
async fn a_legacy_hash_becomes_argon2id_at_the_first_right_password() {
    let shop = Shop::open().await;
    let rows = vec![legacy_row(1, ada(), "old1")];
    let import = ImportCustomers { source: "file".into(), rows };
    let outcomes = shop.client("import-1").call(&import).await.unwrap();
    assert!(matches!(outcomes[0].result, ImportResult::Created(_)));
    let web = shop.client("web-1");

    let renews = |shop: &Shop| shop.keys.book().renews;
    refused(sign_in(&web, "old2").await, BAD_CREDENTIALS);
    assert!(renews(&shop), "a legacy hash comes with its successor");
    sign_in(&web, "old1").await.unwrap();
    assert!(renews(&shop));
    sign_in(&web, "old1").await.unwrap();
    assert!(!renews(&shop), "the credential is still a legacy one");
    refused(sign_in(&web, "old2").await, BAD_CREDENTIALS);
}
