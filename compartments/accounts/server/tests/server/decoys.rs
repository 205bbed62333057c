//! Decoys: customers who do not exist.

use std::collections::BTreeSet;

use accounts_api::{CreateCustomer, ImportCustomers, ImportResult, ListCustomers, ReadCustomers};
use cofferdam_core::{Field, FieldSet, Personal, Record};
use cofferdam_wire::ProblemType;

use crate::support::{Lost, Shop, legacy_row, person, refused};

async fn everybody(shop: &Shop) -> Vec<Record> {
    let response = shop.client("response-1");
    let rows = response.call(&ListCustomers { from: Record(0), limit: 10_000 }).await.unwrap();
    rows.into_iter().map(|row| row.record).collect()
}

async fn create(shop: &Shop, n: u64) -> Record {
    let password = Personal::new("a fine password");
    let call = CreateCustomer { profile: person(n), password };
    shop.record(shop.client("web-1").call(&call).await.unwrap()).await
}

#[tokio::test]
async fn an_import_fills_every_decoy_on_its_way() {
    let shop = Shop::open().await;
    shop.keys.book().decoy_one_in = 5;
    let mut customers = BTreeSet::new();
    for batch in 0..3 {
        let lines = batch * 40 + 1..=batch * 40 + 40;
        let rows = lines.map(|n| legacy_row(n, person(n), "password")).collect();
        let import = ImportCustomers { source: "file".into(), rows };
        for outcome in shop.client("import-1").call(&import).await.unwrap() {
            let ImportResult::Created(number) = outcome.result else { panic!("{outcome:?}") };
            customers.insert(shop.record(number).await);
        }
    }
    let all = everybody(&shop).await;
    let last = all.last().unwrap().0;
    assert_eq!(all, (0..=last).map(Record).collect::<Vec<_>>(), "a number was left out");
    let decoys: Vec<Record> = all.into_iter().filter(|r| !customers.contains(r)).collect();
    let book = shop.keys.book();
    let expected = (0..=last).map(Record).filter(|r| book.is_decoy(*r));
    assert_eq!(decoys, expected.collect::<Vec<_>>());
    assert!(decoys.len() > 10);
    // There is one call of each kind for a batch, so nothing shows which of its people are decoys.
    assert_eq!((book.indexed, book.hardened.len()), (3, 3));
    let hardened: Vec<Record> = book.hardened.iter().flat_map(|h| h.1.clone()).collect();
    assert_eq!(hardened, (0..=last).map(Record).collect::<Vec<_>>());
}

/// All decoys share a name, and the addresses are too short for digits.
#[tokio::test]
async fn every_decoy_gets_an_address_though_all_customers_are_alike() {
    let shop = Shop::open().await;
    shop.keys.book().decoy_one_in = 5;
    let alike = |n: u64| {
        let mut profile = person(n);
        profile.name = Personal::new("Jo Li");
        profile.email = Personal::new(format!("jo.li.{n:03}@example.com"));
        legacy_row(n, profile, "password")
    };
    let import = ImportCustomers { source: "file".into(), rows: (1..=200).map(alike).collect() };
    shop.client("import-1").call(&import).await.unwrap();
    let all = everybody(&shop).await;
    assert!(all.len() > 220, "{}", all.len());
    assert_eq!(all, (0..=all.last().unwrap().0).map(Record).collect::<Vec<_>>());
}

/// A decoy never takes the address of a customer in the same call.
#[tokio::test]
async fn a_decoy_gives_way_to_a_customer_of_the_same_call() {
    let shop = Shop::open().await;
    shop.keys.book().decoy_one_in = 5;
    // The last customer has the address that a decoy would take first.
    let rows = (1..=60).map(|n| {
        let mut profile = person(n);
        profile.name = Personal::new("Jo Li");
        let local = match n {
            60 => "jo.li".to_owned(),
            n => format!("a.{n:03}"),
        };
        profile.email = Personal::new(format!("{local}@mailbox.example"));
        legacy_row(n, profile, "password")
    });
    let import = ImportCustomers { source: "file".into(), rows: rows.collect() };
    for outcome in shop.client("import-1").call(&import).await.unwrap() {
        assert!(matches!(outcome.result, ImportResult::Created(_)), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_decoy_reads_like_a_customer_of_the_same_crowd() {
    let shop = Shop::open().await;
    shop.keys.book().decoy_one_in = 5;
    let rows = (1..=24).map(|n| legacy_row(n, person(n), "password")).collect();
    let import = ImportCustomers { source: "file".into(), rows };
    shop.client("import-1").call(&import).await.unwrap();
    let all = everybody(&shop).await;
    let decoys = {
        let book = shop.keys.book();
        all.into_iter().filter(|r| book.is_decoy(*r)).collect::<Vec<_>>()
    };
    let fields: FieldSet =
        [Field::Name, Field::Email, Field::Phone, Field::BillingAddress].into_iter().collect();
    let read = ReadCustomers { records: shop.numbers(decoys).await, fields, session: None };
    let crowd: Vec<_> = (1..=24).map(person).collect();
    for decoy in shop.client("web-1").call(&read).await.unwrap() {
        let text = |field| decoy.fields[&field].expose();
        assert!(crowd.iter().all(|p| p.name.expose() != text(Field::Name)));
        let (given, family) = text(Field::Name).split_once(' ').unwrap();
        assert!(crowd.iter().any(|p| p.name.expose().starts_with(given)));
        assert!(crowd.iter().any(|p| p.name.expose().ends_with(family)));
        let email = text(Field::Email);
        let names = [given, family].map(str::to_lowercase);
        let digits = email.bytes().filter(u8::is_ascii_digit).count();
        let named = names.iter().any(|name| email.contains(name.as_str()));
        assert!(named || digits >= 3, "{email}");
        assert!(email.ends_with("@mailbox.example"));
        let street = text(Field::BillingAddress).trim_start_matches(|c: char| c.is_ascii_digit());
        let lives = |p: &accounts_api::Profile| {
            p.billing_address.as_ref().unwrap().expose().ends_with(street)
        };
        assert!(crowd.iter().any(lives), "{street}");
    }
}

#[tokio::test]
async fn single_customers_leave_no_gap_where_a_decoy_belongs() {
    let shop = Shop::open().await;
    shop.keys.book().decoy_one_in = 3;
    let mut customers = Vec::new();
    for n in 0..12 {
        customers.push(create(&shop, n).await);
    }
    let all = everybody(&shop).await;
    let last = customers.last().unwrap();
    assert_eq!(all, (0..=last.0).map(Record).collect::<Vec<_>>());
    let book = shop.keys.book();
    assert!(all.len() > customers.len());
    for record in all {
        assert_eq!(customers.contains(&record), !book.is_decoy(record), "{record}");
    }
}

#[tokio::test]
async fn after_a_restart_no_number_is_claimed_twice() {
    let shop = Shop::open().await;
    shop.keys.book().decoy_one_in = 3;
    let first = create(&shop, 1).await;
    let shop = shop.restart().await;
    let second = create(&shop, 2).await;
    assert!(second.0 >= 10_000, "{second} was claimed before the restart, {first} with it");
}

#[tokio::test]
async fn a_lost_claim_is_made_again_and_one_that_was_taken_is_left_out() {
    for (lost, expected) in [(Lost::Before, 0), (Lost::After, 10_000)] {
        let shop = Shop::open().await;
        let web = shop.client("web-1");
        shop.keys.book().lose_claims = vec![lost; 3];
        let password = Personal::new("a fine password");
        let call = CreateCustomer { profile: person(1), password };
        let failed = web.call(&call).await;
        refused(failed, ProblemType::UPSTREAM);
        shop.keys.book().lose_claims.clear();
        let number = web.call(&call).await.unwrap();
        assert_eq!(shop.record(number).await, Record(expected), "{lost:?}");
    }
}

/// A thief of the whole database finds nothing that sorts decoys from customers.
#[tokio::test]
async fn nothing_stored_tells_a_decoy_apart() {
    let shop = Shop::open().await;
    shop.keys.book().decoy_one_in = 4;
    let rows = (1..=80).map(|n| legacy_row(n, person(n), "password")).collect();
    let import = ImportCustomers { source: "file".into(), rows };
    shop.client("import-1").call(&import).await.unwrap();
    let decoys: BTreeSet<i64> = {
        let book = shop.keys.book();
        (0..200).map(Record).filter(|r| book.is_decoy(*r)).map(|r| r.0.into()).collect()
    };
    let dir = shop.stop().await;
    let path = dir.path().join(crate::support::DATABASE);
    let db = sqlx::SqlitePool::connect(&format!("sqlite://{}", path.display())).await.unwrap();

    // Each table that names records has all of them, in the order of their numbers, with the same
    // scheme, the same time, and salts of the same length and alphabet.
    let count: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM customers").fetch_one(&db).await.unwrap();
    let stored: Vec<(i64, String, Vec<u8>, i64)> =
        sqlx::query_as("SELECT record, scheme, salt, set_at FROM credentials ORDER BY rowid")
            .fetch_all(&db)
            .await
            .unwrap();
    assert_eq!(i64::try_from(stored.len()), Ok(count));
    assert!(stored.iter().filter(|row| decoys.contains(&row.0)).count() > 10);
    let like = &stored[0];
    for row in &stored {
        assert_eq!((&row.1, row.3), (&like.1, like.3));
        assert!(row.2.len() == 8 && row.2.iter().all(u8::is_ascii_hexdigit), "{:?}", row.2);
        assert!(!row.2.iter().any(u8::is_ascii_uppercase));
    }
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%record%'",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    // `void_orders` has customers that staff named, `mailed` has those who asked for a reset, `passkeys`
    // and `sessions` have some who signed in, and `changes` lists decoys and customers in one order.
    let expected = [
        "addresses",
        "changes",
        "credentials",
        "customers",
        "mailed",
        "passkeys",
        "resets",
        "sessions",
        "void_orders",
    ];
    let tables: BTreeSet<&str> = tables.iter().map(String::as_str).collect();
    assert_eq!(tables, expected.into(), "a new table names records: does it name decoys?");
}

/// A customer whose name, address and mailbox have one of many lengths.
fn varied(n: u64) -> accounts_api::Profile {
    let mut profile = person(n * 37);
    let word = |n: u64| "abcdefghijklmnop"[..usize::try_from(3 + n * 7 % 13).unwrap()].to_owned();
    let (given, family) = (word(n), word(n / 13));
    let address = format!("{} {} St, {}, KY", 1 + n * 97 % 9_999, word(n / 7), word(n / 5));
    // The number makes the address unique, because a person who is refused would be a donor but no
    // customer.
    let digits = if n.is_multiple_of(4) { format!("{n}") } else { format!(".{n:04}") };
    profile.name = Personal::new(format!("{given} {family}"));
    profile.email = Personal::new(format!("{given}.{family}{digits}@mailbox.example"));
    profile.billing_address = Some(Personal::new(address.clone()));
    profile.shipping_address = (!n.is_multiple_of(3)).then(|| Personal::new(address));
    profile
}

/// The two-sample statistic of Kolmogorov and Smirnov.
fn distance(a: &mut [i64], b: &mut [i64]) -> f64 {
    a.sort_unstable();
    b.sort_unstable();
    let part = |sorted: &[i64], upto: i64| {
        let below = sorted.partition_point(|value| *value <= upto);
        f64::from(u32::try_from(below).unwrap()) / f64::from(u32::try_from(sorted.len()).unwrap())
    };
    let values = a.iter().chain(b.iter());
    values.map(|value| (part(a, *value) - part(b, *value)).abs()).fold(0.0, f64::max)
}

/// A stolen table shows the length of each sealed text, and the filled fields. Both have the same
/// distribution for decoys as for customers.
#[tokio::test]
async fn lengths_tell_no_decoy_apart() {
    let shop = Shop::open().await;
    shop.keys.book().decoy_one_in = 4;
    for batch in 0..12 {
        let lines = batch * 100 + 1..=batch * 100 + 100;
        let rows = lines.map(|n| legacy_row(n, varied(n), "password")).collect();
        let import = ImportCustomers { source: "file".into(), rows };
        shop.client("import-1").call(&import).await.unwrap();
    }
    let decoys: BTreeSet<i64> = {
        let book = shop.keys.book();
        (0..10_000).map(Record).filter(|r| book.is_decoy(*r)).map(|r| r.0.into()).collect()
    };
    let dir = shop.stop().await;
    let path = dir.path().join(crate::support::DATABASE);
    let db = sqlx::SqlitePool::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let fields = ["name", "email", "phone", "billing_address", "shipping_address", "card_last4"];
    for field in fields {
        let lengths = format!("SELECT record, COALESCE(LENGTH({field}), 0) FROM customers");
        let rows: Vec<(i64, i64)> =
            sqlx::query_as(sqlx::AssertSqlSafe(lengths)).fetch_all(&db).await.unwrap();
        let of = |decoy: bool| {
            let rows = rows.iter().filter(|(record, _)| decoys.contains(record) == decoy);
            rows.map(|(_, length)| *length).collect::<Vec<_>>()
        };
        let (mut nobody, mut people) = (of(true), of(false));
        assert!(nobody.len() > 200 && people.len() > 800, "{} {}", nobody.len(), people.len());
        let size = |of: &[i64]| f64::from(u32::try_from(of.len()).unwrap());
        let (n, m) = (size(&nobody), size(&people));
        // One in a thousand pairs of samples of the same distribution is further apart.
        let limit = 1.95 * ((n + m) / (n * m)).sqrt();
        let distance = distance(&mut nobody, &mut people);
        assert!(distance < limit, "{field}: {distance:.3}, and {limit:.3} at most");
    }
}
