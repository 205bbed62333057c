//! Moving to a new epoch, and erasing.

use std::time::Duration;

use accounts_api::{CreateCustomer, EraseCustomer, FindCustomer, ReadCustomers, ReadReseal};
use cofferdam_core::{Epoch, Field, FieldSet, Operation, Personal, Record};
use cofferdam_wire::ProblemType;

use crate::support::{Shop, person, refused};

fn fields(list: &[Field]) -> FieldSet {
    list.iter().copied().collect()
}

#[tokio::test]
async fn every_customer_moves_to_the_new_epoch_and_reads_the_same() {
    let shop = Shop::open().await;
    let web = shop.client("web-1");
    let mut records = Vec::new();
    for n in 0..12 {
        let password = Personal::new("correct horse battery");
        let call = CreateCustomer { profile: person(n), password };
        records.push(web.call(&call).await.unwrap());
    }
    records.sort_unstable();
    let all = fields(&[Field::Name, Field::Email, Field::Phone, Field::CardLast4]);
    let read = ReadCustomers { records: records.clone(), fields: all, session: None };
    let before = web.call(&read).await.unwrap();

    shop.keys.book().epoch = Epoch(1);
    let controller = shop.client("response-1");
    // A run that fails is repeated, so only the end counts.
    loop {
        let state = controller.call(&ReadReseal {}).await.unwrap();
        if state.epoch == Some(Epoch(1)) && state.is_done() {
            assert!(state.resealed >= 12 && !state.running);
            assert_eq!(state.trouble, None);
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    shop.keys.book().released.clear();
    let after = web.call(&read).await.unwrap();
    let texts = |of: &[accounts_api::CustomerFields]| {
        of.iter().map(|c| (c.record, c.fields.clone())).collect::<Vec<_>>()
    };
    assert_eq!(texts(&after), texts(&before));
    let book = shop.keys.book();
    assert!(book.released.iter().all(|r| r.operation == Operation::Release));
    assert!(book.released.iter().all(|r| r.group.epoch == Some(Epoch(1))));
}

#[tokio::test]
async fn an_erased_customer_is_gone_and_its_keys_too() {
    let shop = Shop::open().await;
    let web = shop.client("web-1");
    let password = Personal::new("correct horse battery");
    let record = web.call(&CreateCustomer { profile: person(1), password }).await.unwrap();
    web.call(&EraseCustomer { record }).await.unwrap();
    let erased = shop.keys.book().erased.clone();
    assert_eq!(erased, shop.records(&[record]).await);
    let read =
        ReadCustomers { records: vec![record], fields: fields(&[Field::Name]), session: None };
    assert!(web.call(&read).await.unwrap().is_empty());
    let find = FindCustomer { email: person(1).email };
    assert_eq!(web.call(&find).await.unwrap(), None);
    web.call(&EraseCustomer { record }).await.unwrap();
}

/// A number that is still to be given out stays usable.
#[tokio::test]
async fn a_number_that_nobody_has_is_not_erased() {
    let shop = Shop::open().await;
    let web = shop.client("web-1");
    let password = || Personal::new("correct horse battery");
    let create = |n| CreateCustomer { profile: person(n), password: password() };
    let record = web.call(&create(1)).await.unwrap();
    let next = Record(shop.record(record).await.0 + 1);
    let next = shop.numbers([next]).await[0];
    refused(web.call(&EraseCustomer { record: next }).await, ProblemType::NOT_FOUND);
    assert_eq!(web.call(&create(2)).await.unwrap(), next);
    let read = ReadCustomers { records: vec![next], fields: fields(&[Field::Name]), session: None };
    assert_eq!(web.call(&read).await.unwrap().len(), 1);
}
