//! Keys of certificates that were revoked open nothing, for callers and for servers.

use accounts_api::{CreateCustomer, RequestReset};
use cofferdam_core::Personal;
use cofferdam_wire::{Client, ProblemType};
use keys_api::RevokedKey;
use testkit::until;

use crate::contain::{PASSWORD, create};
use crate::support::{Shop, ada, person};

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
    // The open connection gets no answer either.
    until(async || refused(&stolen).await).await;
    assert!(refused(&shop.client("web-1")).await);
    assert!(!refused(&shop.client("web-2")).await);
    shop.keys.book().revoked.clear();
    let shop = shop.restart().await;
    assert!(refused(&shop.client("web-1")).await, "the key is remembered");
    assert!(!refused(&shop.client("web-2")).await);
}

/// A thief stands in for `keys` with a copy of its key: nothing is asked of that server any more.
#[tokio::test]
async fn keys_under_a_revoked_key_is_asked_nothing() {
    let shop = Shop::open().await;
    let web = shop.client("web-1");
    create(&web, ada()).await;
    let (caller, key) = ("keys".parse().unwrap(), shop.public_key("keys"));
    shop.keys.book().revoked = vec![RevokedKey { caller, key }];
    let refused = async || {
        let call = CreateCustomer { profile: person(1), password: Personal::new(PASSWORD) };
        web.call(&call).await.is_err_and(|e| e.is(ProblemType::UPSTREAM))
    };
    until(refused).await;
    let asked = shop.keys.book().hardened.len();
    assert!(refused().await);
    assert_eq!(shop.keys.book().hardened.len(), asked);
}
