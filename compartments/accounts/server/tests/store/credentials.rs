//! What customers sign in with: passwords and passkeys.

use accounts_server::store::{Credential, KnownPasskey, Store, is_passkey_taken};
use cofferdam_core::{Base64Url, KeyBytes, PasskeyAlgorithm, Record};
use keys_api::Passkey;

use super::{at, bare, index, write};

pub async fn a_credential_is_found_by_address(store: &Store) {
    write(store, 1..3).await.unwrap();
    assert!(store.credential(&[index(9)]).await.unwrap().is_none());
    let known = store.credential(&[index(2)]).await.unwrap().unwrap();
    assert_eq!((known.record, known.credential.set_at), (Record(2), at(2)));

    let old = known.credential;
    let new =
        Credential { verifier: bare(vec![1; 32]), salt: vec![1; 16], set_at: at(1), ..old.clone() };
    store.rehash(Record(2), &old, &new).await.unwrap();
    let read = async || store.credential(&[index(2)]).await.unwrap().unwrap().credential;
    assert_eq!((read().await.verifier, read().await.salt), (bare(vec![1; 32]), vec![1; 16]));
    assert_eq!(read().await.set_at, at(1), "the verifier is bound to its time");
    let late = Credential { verifier: bare(vec![3; 32]), ..old.clone() };
    store.rehash(Record(2), &old, &late).await.unwrap();
    assert_eq!(read().await.verifier, new.verifier, "a rehash replaced a newer credential");

    let mut tx = store.begin().await.unwrap();
    let later = Credential { set_at: at(50), ..new.clone() };
    store.set_credential(&mut tx, Record(2), &later).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(read().await.set_at, at(50));
    let other = store.credential(&[index(1)]).await.unwrap().unwrap();
    assert_eq!(other.credential.verifier, bare(vec![8; 32]));
}

pub async fn a_passkey_is_one_customers_and_goes_with_the_customer(store: &Store) {
    write(store, 1..4).await.unwrap();
    let id = |n: u8| Base64Url(vec![n; 20]);
    let of = |record: u32| KnownPasskey {
        record: Record(record),
        passkey: Passkey {
            public_key: Base64Url(vec![5; 91]),
            algorithm: PasskeyAlgorithm::Rs256,
            relying_party: "shop.example".parse().unwrap(),
            set_at: at(7),
            mac: KeyBytes::new([6; 32]),
        },
    };
    assert!(store.insert_passkey(&id(1), &of(1)).await.unwrap());
    assert!(store.insert_passkey(&id(2), &of(1)).await.unwrap());
    assert!(store.insert_passkey(&id(3), &of(2)).await.unwrap());
    let taken = store.insert_passkey(&id(1), &of(2)).await.unwrap_err();
    assert!(is_passkey_taken(&taken), "{taken}");
    assert!(!store.insert_passkey(&id(4), &of(9)).await.unwrap(), "there is no such customer");

    let find = async |n| store.passkey(&id(n)).await.unwrap();
    let KnownPasskey { record, passkey } = find(1).await.unwrap();
    let expected = of(1).passkey;
    assert_eq!((record, passkey.set_at), (Record(1), at(7)));
    assert_eq!(passkey.mac.expose(), expected.mac.expose());
    assert_eq!(
        (passkey.public_key, passkey.algorithm, passkey.relying_party),
        (expected.public_key, expected.algorithm, expected.relying_party)
    );
    store.erase_customer(Record(1), at(8)).await.unwrap();
    assert!(find(1).await.is_none() && find(2).await.is_none() && find(4).await.is_none());
    let mut tx = store.begin().await.unwrap();
    store.delete_passkeys_of(&mut tx, Record(3)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(find(3).await.is_some());
    let mut tx = store.begin().await.unwrap();
    store.delete_passkeys_of(&mut tx, Record(2)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(find(3).await.is_none());
}
