//! Callers know customers by numbers that tell neither when somebody signed up nor where decoys are.

use accounts_api::{
    CheckPassword, CheckSession, CreateCustomer, FindCustomer, MAX_NUMBERS, OpenSession,
    ReadCustomerNumbers, ResolveCustomerNumbers,
};
use cofferdam_core::{CustomerNumber, Personal, Record};
use cofferdam_wire::ProblemType;

use crate::support::{Shop, person, refused};

fn password() -> Personal {
    Personal::new("a fine password")
}

async fn create(shop: &Shop, n: u64) -> CustomerNumber {
    let call = CreateCustomer { profile: person(n), password: password() };
    shop.client("web-1").call(&call).await.unwrap()
}

#[tokio::test]
async fn numbers_of_sign_ups_tell_no_order_and_no_decoy() {
    let shop = Shop::open().await;
    shop.keys.book().decoy_one_in = 3;
    let mut numbers = Vec::new();
    for n in 0..24 {
        numbers.push(create(&shop, n).await);
    }
    // Of 24 numbers that tell no order, the chance is one in a million that fewer than three are
    // lower than the one before, and one in 10,000 that two are closer than this.
    let lower = numbers.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!((3..21).contains(&lower), "{numbers:?}");
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    assert!(sorted.windows(2).all(|pair| pair[1].0 - pair[0].0 > 1_000), "{sorted:?}");

    // The controller knows the records, with gaps where the decoys are.
    let records = shop.records(&numbers).await;
    assert!(records.is_sorted() && records[23].0 > 23, "{records:?}");
    assert_eq!(shop.numbers(records).await, sorted);
}

#[tokio::test]
async fn every_call_names_a_customer_by_one_number_and_it_stays() {
    let shop = Shop::open().await;
    let number = create(&shop, 1).await;
    let shop = shop.restart().await;
    let (web, email) = (shop.client("web-1"), person(1).email);
    let session =
        web.call(&OpenSession { email: email.clone(), password: password() }).await.unwrap();
    assert_eq!(session.record, number);
    assert_eq!(web.call(&CheckSession { token: session.token }).await.unwrap(), number);
    let check = CheckPassword { email: email.clone(), password: password() };
    assert_eq!(web.call(&check).await.unwrap(), number);
    assert_eq!(web.call(&FindCustomer { email }).await.unwrap(), Some(number));
}

#[tokio::test]
async fn each_shop_has_a_key_of_its_own() {
    let (one, other) = (Shop::open().await, Shop::open().await);
    let records = || (0..4).map(Record);
    assert_ne!(one.numbers(records()).await, other.numbers(records()).await);
}

#[tokio::test]
async fn a_call_translates_so_many_and_no_more() {
    let shop = Shop::open().await;
    let response = shop.client("response-1");
    let most = u32::try_from(MAX_NUMBERS).unwrap();
    for (count, taken) in [(0, true), (most, true), (most + 1, false)] {
        let read = ReadCustomerNumbers { records: (0..count).map(Record).collect() };
        let resolve = ResolveCustomerNumbers { numbers: (0..count).map(CustomerNumber).collect() };
        if taken {
            response.call(&read).await.unwrap();
            response.call(&resolve).await.unwrap();
        } else {
            refused(response.call(&read).await, ProblemType::BAD_REQUEST);
            refused(response.call(&resolve).await, ProblemType::BAD_REQUEST);
        }
    }
}
