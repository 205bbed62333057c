//! Creating, reading, finding and listing customers.

use accounts_api::{
    ADDRESS_TAKEN, CreateCustomer, FindCustomer, ImportCustomers, ImportOutcome, ImportResult,
    ListCustomers, ReadCustomers,
};
use cofferdam_core::{CustomerNumber, Field, FieldSet, Operation, Personal, Record};
use cofferdam_wire::{Client, ProblemType};

use crate::support::{Shop, ada, legacy_row, person, refused};

fn fields(list: &[Field]) -> FieldSet {
    list.iter().copied().collect()
}

async fn create(web: &Client, profile: accounts_api::Profile) -> CustomerNumber {
    web.call(&CreateCustomer { profile, password: Personal::new("a fine password") }).await.unwrap()
}

#[tokio::test]
async fn a_profile_is_read_back() {
    let shop = Shop::open().await;
    let web = shop.client("web-1");
    let record = create(&web, ada()).await;

    let all = fields(&[
        Field::Name,
        Field::Email,
        Field::Phone,
        Field::BillingAddress,
        Field::ShippingAddress,
        Field::CardLast4,
    ]);
    let read = web
        .call(&ReadCustomers { records: vec![record], fields: all, session: None })
        .await
        .unwrap();
    let texts: Vec<&str> = read[0].fields.values().map(Personal::expose).collect();
    assert_eq!(
        texts,
        [
            "Ada Lovelace",
            "Ada@Example.org",
            "+44 20 7946 0958",
            "12 St James Square, London SW1Y 4JH",
            "7 Ockham Park Lane, Ockham GU23 6NQ",
            "4929"
        ]
    );
    let find = |email: &str| FindCustomer { email: Personal::new(email) };
    assert_eq!(web.call(&find(" ADA@example.ORG ")).await.unwrap(), Some(record));
    assert_eq!(web.call(&find("ada@example.com")).await.unwrap(), None);
}

/// `keys` may have sealed the records of a call that failed, and seals none of them again.
#[tokio::test]
async fn a_sign_up_or_import_that_failed_after_it_was_sealed_stops_no_later_one() {
    let shop = Shop::open().await;
    shop.keys.book().decoy_one_in = 4;
    let (web, import) = (shop.client("web-1"), shop.client("import-1"));
    for (n, fails) in (0..).zip([Operation::Seal, Operation::Enrol]) {
        shop.keys.book().fails_late = Some(fails);
        let password = Personal::new("a fine password");
        let call = CreateCustomer { profile: person(n), password };
        refused(web.call(&call).await, ProblemType::UPSTREAM);
        web.call(&call).await.unwrap();

        shop.keys.book().fails_late = Some(fails);
        let first = 100 * (n + 1);
        let rows = (first..first + 20).map(|n| legacy_row(n, person(n), "password")).collect();
        let call = ImportCustomers { source: format!("file {n}"), rows };
        refused(import.call(&call).await, ProblemType::UPSTREAM);
        let outcomes = import.call(&call).await.unwrap();
        let is_new = |of: &ImportOutcome| matches!(of.result, ImportResult::Created(_));
        assert_eq!(outcomes.iter().filter(|of| is_new(of)).count(), 20);
    }
}

#[tokio::test]
async fn keys_are_asked_for_what_is_filled_and_nothing_else() {
    let shop = Shop::open().await;
    let web = shop.client("web-1");
    let mut records = Vec::new();
    for n in 0..6 {
        records.push(shop.record(create(&web, person(n)).await).await);
    }
    shop.keys.book().released.clear();

    let beyond = Record(records[5].0 + 1);
    let asked = shop.numbers(records.iter().copied().chain([beyond])).await;
    let wanted = fields(&[Field::Name, Field::ShippingAddress, Field::CardLast4]);
    let read =
        web.call(&ReadCustomers { records: asked, fields: wanted, session: None }).await.unwrap();

    let numbers: Vec<_> = read.iter().map(|c| c.record).collect();
    assert_eq!(numbers, shop.numbers(records.iter().copied()).await, "not ascending by number");
    let shown = shop.records(&numbers).await.into_iter().zip(&read);
    let shown = shown.map(|(record, c)| (record, c.fields.keys().copied().collect())).collect();
    let mut released = std::collections::BTreeMap::new();
    for call in &shop.keys.book().released {
        assert_eq!((call.operation, call.caller.as_str()), (Operation::Release, "web-1"));
        for record in &call.group.records {
            assert!(released.insert(*record, call.group.fields).is_none(), "released twice");
        }
    }
    assert_eq!(released.remove(&beyond), Some(FieldSet::EMPTY));
    assert_eq!(released, shown, "the log does not say what was read");
    assert_eq!(released[&records[3]], fields(&[Field::Name]));
    assert_eq!(released[&records[4]], wanted);
}

#[tokio::test]
async fn a_refusal_by_keys_is_passed_on() {
    let shop = Shop::open().await;
    let record = create(&shop.client("web-1"), ada()).await;
    let read = |list: &[Field]| ReadCustomers {
        records: vec![record],
        fields: fields(list),
        session: None,
    };

    let web2 = shop.client("web-2");
    assert!(web2.call(&read(&[Field::Name])).await.is_ok());
    let phone = web2.call(&read(&[Field::Phone])).await;
    refused(phone, ProblemType::NOT_GRANTED);

    shop.keys.book().budgets.insert("web-2".parse().unwrap(), 0);
    let spent = web2.call(&read(&[Field::Name])).await.unwrap_err();
    assert!(spent.is(ProblemType::BUDGET_EXHAUSTED), "{spent}");
    assert_eq!(spent.problem().unwrap().retry_after_s, Some(60));
}

#[tokio::test]
async fn an_answer_without_every_key_is_an_error() {
    let shop = Shop::open().await;
    let web = shop.client("web-1");
    let record = create(&web, ada()).await;
    shop.keys.book().forgetful = true;
    let read =
        ReadCustomers { records: vec![record], fields: fields(&[Field::Name]), session: None };
    refused(web.call(&read).await, ProblemType::UPSTREAM);
    let create = CreateCustomer { profile: person(1), password: Personal::new("a fine password") };
    refused(web.call(&create).await, ProblemType::UPSTREAM);
}

#[tokio::test]
async fn malformed_calls_are_refused() {
    let shop = Shop::open().await;
    let web = shop.client("web-1");
    let name = fields(&[Field::Name]);
    let record = |n| CustomerNumber(n);
    for (records, fields) in [
        (vec![], name),
        (vec![record(2), record(1)], name),
        (vec![record(1), record(1)], name),
        ((0..1_001).map(CustomerNumber).collect(), name),
        (vec![record(1)], FieldSet::EMPTY),
        (vec![record(1)], fields(&[Field::Password])),
        (vec![record(1)], fields(&[Field::CardNumber])),
    ] {
        let read = web.call(&ReadCustomers { records, fields, session: None }).await;
        refused(read, ProblemType::BAD_REQUEST);
    }
    let mut nameless = ada();
    nameless.name = Personal::new(" ");
    for (profile, password) in [(nameless, "a fine password"), (ada(), "short")] {
        let create = CreateCustomer { profile, password: Personal::new(password) };
        refused(web.call(&create).await, ProblemType::BAD_REQUEST);
    }
}

#[tokio::test]
async fn an_address_belongs_to_one_customer() {
    let shop = Shop::open().await;
    let web = shop.client("web-1");
    create(&web, ada()).await;
    let mut twin = person(1);
    twin.email = Personal::new("ADA@EXAMPLE.ORG");
    let again =
        CreateCustomer { profile: twin.clone(), password: Personal::new("a fine password") };
    refused(web.call(&again).await, ADDRESS_TAKEN);

    // Of two calls at once, one succeeds, however they overlap.
    let both = ["bob@example.org", "BOB@example.org"].map(|email| {
        twin.email = Personal::new(email);
        CreateCustomer { profile: twin.clone(), password: Personal::new("a fine password") }
    });
    let (first, second) = tokio::join!(web.call(&both[0]), web.call(&both[1]));
    assert!(first.is_ok() != second.is_ok());
    refused(first.and(second), ADDRESS_TAKEN);
}

#[tokio::test]
async fn coarse_attributes_come_in_pages() {
    let shop = Shop::open().await;
    let web = shop.client("web-1");
    for n in 0..5 {
        create(&web, person(n)).await;
    }
    let response = shop.client("response-1");
    let page = async |from, limit| {
        response.call(&ListCustomers { from: Record(from), limit }).await.unwrap()
    };
    let first = page(0, 3).await;
    assert_eq!(first.len(), 3);
    let rest = page(first[2].record.0 + 1, 10).await;
    assert_eq!(rest.len(), 2);
    assert!(page(rest[1].record.0 + 1, 10).await.is_empty());

    assert_eq!(first[1].coarse, person(1).coarse);
    let most = [Field::Name, Field::Email, Field::Phone, Field::BillingAddress];
    assert_eq!(rest[0].filled, fields(&most));
    let all = fields(&most).with(Field::ShippingAddress).with(Field::CardLast4);
    assert_eq!(first[2].filled, all);
    let too_many = response.call(&ListCustomers { from: Record(0), limit: 10_001 }).await;
    refused(too_many, ProblemType::BAD_REQUEST);
}
