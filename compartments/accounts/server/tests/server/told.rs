//! An answer that tells whether a customer exists, or which fields are set, leaves after its entry.

use accounts_api::{
    ADDRESS_TAKEN, CreateCustomer, FindCustomer, OpenSession, ReadCustomers, ReportMail,
    RequestReset,
};
use cofferdam_core::{CustomerNumber, Field, FieldSet, Personal, Record};
use cofferdam_wire::{Client, ProblemType};
use keys_api::Search;

use crate::support::{Shop, ada, person, refused};

const PASSWORD: &str = "a fine password";

fn fields(list: &[Field]) -> FieldSet {
    list.iter().copied().collect()
}

async fn create(web: &Client, profile: accounts_api::Profile) -> CustomerNumber {
    web.call(&CreateCustomer { profile, password: Personal::new(PASSWORD) }).await.unwrap()
}

#[tokio::test]
async fn unset_fields_and_unknown_records_are_asked_for_like_others() {
    let shop = Shop::open().await;
    let web = shop.client("web-1");
    // The third person has neither a shipping address nor a card.
    let number = create(&web, person(3)).await;
    let record = shop.record(number).await;
    let (unset, both) = (fields(&[Field::CardLast4]), fields(&[Field::Name, Field::CardLast4]));
    let nobody = Record(record.0 + 5_000);
    let unknown = shop.numbers([nobody]).await[0];
    let mut both_numbers = [number, unknown];
    both_numbers.sort_unstable();
    let read = |records: &[CustomerNumber], fields| ReadCustomers {
        records: records.to_vec(),
        fields,
        session: None,
    };
    shop.keys.book().released.clear();

    assert_eq!(web.call(&read(&[number], unset)).await.unwrap()[0].fields.len(), 0);
    assert_eq!(web.call(&read(&both_numbers, both)).await.unwrap().len(), 1);
    assert_eq!(web.call(&read(&[unknown], unset)).await.unwrap().len(), 0);
    let name = fields(&[Field::Name]);
    let asked: Vec<_> = {
        let book = shop.keys.book();
        let group = |of: &crate::support::Answered| {
            (of.group.fields, of.group.unset, of.group.records.clone())
        };
        book.released.iter().map(group).collect()
    };
    let expected = [
        (FieldSet::EMPTY, unset, vec![record]),
        (FieldSet::EMPTY, both, vec![nobody]),
        (name, unset, vec![record]),
        (FieldSet::EMPTY, unset, vec![nobody]),
    ];
    assert_eq!(asked, expected);

    // Without a grant or a budget, nothing is told.
    let web2 = shop.client("web-2");
    let phone = fields(&[Field::ShippingAddress]);
    for of in both_numbers {
        refused(web2.call(&read(&[of], phone)).await, ProblemType::NOT_GRANTED);
    }
    shop.keys.book().budgets.insert("web-2".parse().unwrap(), 0);
    for of in both_numbers {
        refused(web2.call(&read(&[of], unset)).await, ProblemType::BUDGET_EXHAUSTED);
    }
}

#[tokio::test]
async fn whoever_is_found_by_an_address_is_noted_before_the_answer() {
    let shop = Shop::open().await;
    let (web, email) = (shop.client("web-1"), |email: &str| Personal::new(email));
    let number = create(&web, ada()).await;
    let record = shop.record(number).await;
    shop.keys.book().found.clear();

    let (known, unknown) = ("ada@example.org", "nobody@example.org");
    let mut expected = Vec::new();
    for (address, found) in [(known, vec![record]), (unknown, vec![])] {
        let find = FindCustomer { email: email(address) };
        assert_eq!(web.call(&find).await.unwrap(), found.first().map(|_| number));
        expected.push((Search::Find, found.clone()));
        web.call(&RequestReset { email: email(address) }).await.unwrap();
        expected.push((Search::Reset, found.clone()));
        web.call(&ReportMail { recipient: email(address) }).await.unwrap();
        expected.push((Search::Mail, found));
    }
    web.call(&OpenSession { email: email(known), password: Personal::new(PASSWORD) })
        .await
        .unwrap();
    expected.push((Search::SignIn, vec![record]));
    let mut twin = person(1);
    twin.email = email(known);
    let again = CreateCustomer { profile: twin, password: Personal::new(PASSWORD) };
    refused(web.call(&again).await, ADDRESS_TAKEN);
    expected.push((Search::SignUp, vec![record]));

    let book = shop.keys.book();
    let noted: Vec<_> = book.found.iter().map(|(_, search, of)| (*search, of.clone())).collect();
    assert_eq!(noted, expected);
    assert!(book.found.iter().all(|(caller, ..)| caller.as_str() == "web-1"));
    assert!(book.unanswered.is_empty(), "{:?}", book.unanswered);
}

#[tokio::test]
async fn without_the_note_there_is_no_answer_and_no_letter() {
    let shop = Shop::open().await;
    let web = shop.client("web-1");
    create(&web, ada()).await;
    shop.keys.book().refuse_notes = true;
    let email = || Personal::new("ada@example.org");
    web.call(&FindCustomer { email: email() }).await.unwrap_err();
    web.call(&RequestReset { email: email() }).await.unwrap_err();
    let (profile, password) = (ada(), Personal::new(PASSWORD));
    let taken = web.call(&CreateCustomer { profile, password }).await.unwrap_err();
    assert!(!taken.is(ADDRESS_TAKEN), "{taken}");
}
