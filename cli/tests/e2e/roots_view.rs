//! The view of a thief with root on one host and with copies from others. The thief tries everything that it
//! holds on every field, tries a list of common passwords, and looks for known addresses.

use std::fs;

use accounts_server::domain::address;
use accounts_server::domain::password::{self, Cost, Memory, Scheme};
use accounts_server::store::{SealedCustomer, Store};
use cofferdam_core::{
    Clock, Domain, Epoch, Field, FieldSet, KeyBytes, Personal, Record, Rng, SystemClock, SystemRng,
};
use estate::Compartment::{Accounts, Keys, Payments, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use keys_api::{Search, Verifier};
use keys_client::{Allowed, Asked, Halves, Resting, SealedRecord, Typed, Vault};
use payments_api::{CardDetails, StoreCards};

use crate::halves::{PASSWORD, email, sign_up};
use crate::support::{Place, assert_refused, run};

/// The customers of the shop.
const PEOPLE: u32 = 2;
/// The secrets of an estate, each of which lies on the host of one compartment or in a custody of its own.
const SECRETS: [&str; 7] = [
    "root-key/root.key",
    "halves/accounts.key",
    "halves/payments.key",
    "halves/response.key",
    "response/witness.key",
    "response/letters/returned.key",
    "response/log-copy/access-logs/lookup.key",
];

/// Root on the host of `keys`, which here answers everything that it is asked, with a copy of the database of
/// `accounts` and with each secret of the estate in turn.
#[tokio::test]
async fn keys_and_a_database_open_nothing_without_the_half() {
    let shop = Shop::new().await;
    let _keys = shop.place.serve(Keys).await;
    let own = secret(&shop.place, "halves/accounts.key");
    // The right half shows that the thief's method opens what it can.
    let found = shop.try_all(&shop.place, &[own], &[PASSWORD]).await;
    assert_eq!((found.fields, found.passwords, found.addresses), (2, 2, 2));

    let others = SECRETS.into_iter().filter(|of| *of != "halves/accounts.key");
    let mut halves: Vec<_> = others.map(|of| secret(&shop.place, of)).collect();
    halves.push(KeyBytes::new((&SystemRng as &dyn Rng).bytes()));
    for half in halves {
        let found = shop.try_all(&shop.place, &[half], &[PASSWORD]).await;
        assert_eq!((found.fields, found.passwords, found.addresses), (0, 0, 0));
    }
    let found = shop.try_all(&shop.place, &[], &[PASSWORD]).await;
    assert_eq!((found.fields, found.passwords, found.addresses), (0, 0, 0));
}

/// Root on the host of `accounts`, after `keys` was shut to it: the whole disk with its half, beside a `keys`
/// of the thief's own that refuses nothing.
#[tokio::test]
async fn all_of_accounts_opens_nothing_without_keys() {
    let shop = Shop::new().await;
    let thief = Place::with_estate().await;
    let _keys = thief.serve(Keys).await;
    let half = secret(&shop.place, "halves/accounts.key");
    let common = common_passwords();
    assert!(common.len() == 100 && common.iter().any(|of| of == PASSWORD));
    let common: Vec<_> = common.iter().map(String::as_str).collect();
    let found = shop.try_all(&thief, &[half], &common).await;
    assert!(found.tried > 100);
    assert_eq!((found.fields, found.passwords, found.addresses), (0, 0, 0));
}

/// Copies of the database of `keys` and of another secret than its root key.
#[tokio::test]
async fn the_database_of_keys_tells_no_key_without_the_root_key() {
    let Shop { place, .. } = Shop::new().await;
    let root_key = place.dir.join("root-key/root.key");
    for of in SECRETS.into_iter().filter(|of| *of != "root-key/root.key") {
        fs::copy(place.dir.join(of), &root_key).unwrap();
        let config = place.file("keys/keys.toml");
        assert_refused(&run(["keys", "serve", "--config", &config]), "root key");
    }
}

/// Copies of the database of `payments`, with `keys` and each secret in turn.
#[tokio::test]
async fn keys_and_a_database_open_no_card_without_the_half() {
    let Shop { place, .. } = Shop::new().await;
    let _keys = place.serve(Keys).await;
    let payments = place.serve(Payments).await;
    let number = Personal::new("4111111111111111");
    let next_year = SystemClock.now().to_zoned(TimeZone::UTC).year() + 1;
    let expiry_year = u16::try_from(next_year).unwrap();
    let card = CardDetails { number, expiry_month: 12, expiry_year };
    place.client(Payments, "checkout-1").call(&StoreCards { cards: vec![card] }).await.unwrap();
    drop(payments);
    let database = format!("sqlite://{}", place.file("payments/payments.db"));
    let db = sqlx::SqlitePool::connect(&database).await.unwrap();
    let number: Vec<u8> =
        sqlx::query_scalar("SELECT number FROM cards").fetch_one(&db).await.unwrap();
    for of in SECRETS {
        let halves = Halves::new(Domain::Payments, [(Epoch(0), secret(&place, of))]);
        let vault = Vault::new(place.keys_as(Payments), halves);
        let fields = FieldSet::EMPTY.with(Field::CardNumber);
        let sealed = SealedRecord { record: Record(0), epoch: Epoch(0), fields };
        let asked = [Asked::Stored(sealed, FieldSet::EMPTY)];
        let processor = "processor-1".parse().unwrap();
        let keys = vault.keys_to_read(&processor, asked, Allowed::ByGrant).await.unwrap();
        let opened = keys.of(Record(0)).unwrap().open(Field::CardNumber, &number);
        assert_eq!(opened.is_ok(), of == "halves/payments.key", "{of}");
    }
}

/// A hundred passwords that many people have.
fn common_passwords() -> Vec<String> {
    const WORDS: [&str; 10] = [
        "password", "sunshine", "princess", "football", "baseball", "superman", "iloveyou",
        "whatever", "trustno1", "starwars",
    ];
    let with_digit = |word| (0..10).map(move |digit| format!("{word}{digit}"));
    WORDS.into_iter().flat_map(with_digit).collect()
}

/// The bytes of a secret of an estate.
fn secret(place: &Place, name: &str) -> KeyBytes {
    let text = fs::read_to_string(place.dir.join(name)).unwrap();
    serde_json::from_value(text.trim().into()).unwrap()
}

/// A shop with customers, of which the thief has the database of `accounts`.
struct Shop {
    place: Place,
    store: Store,
    customers: Vec<SealedCustomer>,
}

/// The number of things that were tried and that opened.
#[derive(Default)]
struct Found {
    tried: usize,
    fields: usize,
    passwords: usize,
    addresses: usize,
}

impl Shop {
    async fn new() -> Self {
        let place = Place::with_estate().await;
        // `response` makes some of its secrets when it runs for the first time.
        let running =
            (place.serve(Keys).await, place.serve(Accounts).await, place.serve(Response).await);
        let web = place.client(Accounts, "web-ky-1");
        for person in 0..PEOPLE {
            sign_up(&web, person).await;
        }
        drop(running);
        let store = Store::open(&place.file("accounts/accounts.db").into()).await.unwrap();
        let customers = store.sealed_before(Record(0), Epoch(u16::MAX), 100).await.unwrap();
        Self { place, store, customers }
    }

    /// Tries everything with the `keys` of an estate and a half.
    async fn try_all(&self, keys: &Place, half: &[KeyBytes], passwords: &[&str]) -> Found {
        let halves = half.iter().map(|half| (Epoch(0), half.clone()));
        let halves = Halves::new(Domain::Accounts, halves);
        let vault = Vault::new(keys.keys_as(Accounts), halves);
        let mut found = Found::default();
        self.open_fields(&vault, &mut found).await;
        for (person, customer) in (0..PEOPLE).zip(&self.customers) {
            self.look_for_address(&vault, person, &mut found).await;
            self.guess(&vault, customer.record, passwords, &mut found).await;
        }
        found
    }

    async fn open_fields(&self, vault: &Vault, found: &mut Found) {
        let shipping = "shipping-1".parse().unwrap();
        let name = FieldSet::EMPTY.with(Field::Name);
        let asked = self.customers.iter().map(|of| {
            let sealed = SealedRecord { record: of.record, epoch: of.epoch, fields: name };
            Asked::Stored(sealed, FieldSet::EMPTY)
        });
        let keys = vault.keys_to_read(&shipping, asked, Allowed::ByGrant).await.unwrap();
        for of in &self.customers {
            let opened = keys.of(of.record).unwrap().open(Field::Name, &of.sealed[&Field::Name]);
            found.tried += 1;
            found.fields += usize::from(opened.is_ok());
        }
    }

    async fn look_for_address(&self, vault: &Vault, person: u32, found: &mut Found) {
        let web = "web-ky-1".parse().unwrap();
        let digest = address::digest(&email(person));
        let (index, looked_up) = vault.index_one(&web, digest).await.unwrap();
        vault.note_found(&web, looked_up, Search::Find, []).await.unwrap();
        let forms = vault.halves().forms(&index).unwrap();
        let forms: Vec<_> = forms.into_iter().map(|of| of.bytes).collect();
        found.addresses += self.store.find_all(&forms).await.unwrap().len();
    }

    /// Guesses the password of a customer, whose record the thief gets for nothing.
    async fn guess(&self, vault: &Vault, record: Record, passwords: &[&str], found: &mut Found) {
        let web = "web-ky-1".parse().unwrap();
        let rested = self.store.verifiers_of(&[record]).await.unwrap().remove(0).1;
        // `keys` tells whether a verifier is right. Only the right half opens one.
        let Ok(bytes) = vault.halves().open(Resting::Verifier(record), &rested) else { return };
        let (salt, set_at): (Vec<u8>, i64) =
            sqlx::query_as("SELECT salt, set_at FROM credentials WHERE record = $1")
                .bind(i64::from(record.0))
                .fetch_one(self.store.db().reader())
                .await
                .unwrap();
        let set_at = Timestamp::from_millisecond(set_at).unwrap();
        let (scheme, mut memory) = (Scheme::Argon2id(Cost::NOW), Memory::default());
        for guess in passwords {
            let hash = password::hash(scheme, &salt, &Personal::new(*guess), &mut memory).unwrap();
            let stored = Verifier { bytes: bytes.clone(), set_at };
            let typed = Typed { record, hash, renew: None, stored };
            let (_, looked_up) = vault.index_one(&web, address::digest(&email(0))).await.unwrap();
            let right = vault.check_password(&web, typed, None, looked_up).await.unwrap();
            found.tried += 1;
            found.passwords += usize::from(right.is_some());
        }
    }
}
