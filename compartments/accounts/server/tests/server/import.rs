//! Taking over the customers of an older shop.

use accounts_api::{
    CheckPassword, CreateCustomer, FindCustomer, ImportCustomers, ImportOutcome, ImportResult,
    ImportRow, ImportState, ReadImport,
};
use cofferdam_core::{CustomerNumber, FieldSet, Operation, Personal};
use cofferdam_wire::{CallError, ProblemType};

use crate::support::{Shop, legacy_row, person, refused};

fn row(line: u64) -> ImportRow {
    legacy_row(line, person(line), &format!("password {line}"))
}

async fn import(shop: &Shop, rows: Vec<ImportRow>) -> Result<Vec<ImportOutcome>, CallError> {
    shop.client("import-1").call(&ImportCustomers { source: "file".into(), rows }).await
}

async fn state(shop: &Shop) -> ImportState {
    shop.client("import-1").call(&ReadImport { source: "file".into() }).await.unwrap()
}

fn created(outcome: &ImportOutcome) -> CustomerNumber {
    let ImportResult::Created(number) = outcome.result else { panic!("{outcome:?}") };
    number
}

#[tokio::test]
async fn customers_come_in_with_their_passwords() {
    let shop = Shop::open().await;
    let outcomes = import(&shop, (1..=250).map(row).collect()).await.unwrap();
    let numbers: Vec<_> = outcomes.iter().map(created).collect();
    assert!(shop.records(&numbers).await.is_sorted_by(|a, b| a < b));
    assert_eq!(state(&shop).await, ImportState { done_to_line: 250, created: 250 });

    let web = shop.client("web-1");
    for line in [1, 100, 250] {
        let email = person(line).email;
        let password = Personal::new(format!("password {line}"));
        let check = CheckPassword { email, password };
        let number = web.call(&check).await.unwrap();
        assert_eq!(number, numbers[usize::try_from(line).unwrap() - 1]);
    }
}

#[tokio::test]
async fn a_call_costs_one_index_one_harden_and_a_seal_for_each_set_of_fields() {
    let shop = Shop::open().await;
    let outcomes = import(&shop, (1..=60).map(row).collect()).await.unwrap();
    let book = shop.keys.book();
    assert_eq!((book.indexed, book.hardened.len()), (1, 1));
    let sets: std::collections::HashSet<FieldSet> =
        book.released.iter().map(|r| r.group.fields).collect();
    assert_eq!((book.released.len(), sets.len()), (4, 4), "card or not, shipping or not");
    assert!(
        book.released.iter().all(|r| r.operation == Operation::Seal && r.group.epoch.is_none())
    );
    let sealed: usize = book.released.iter().map(|r| r.group.records.len()).sum();
    assert_eq!(sealed, outcomes.len());
    assert!(book.released.iter().all(|r| r.caller.as_str() == "import-1"));
}

#[tokio::test]
async fn bad_rows_are_refused_one_by_one_without_personal_data() {
    let shop = Shop::open().await;
    let mut rows: Vec<ImportRow> = (1..=8).map(row).collect();
    rows[1].profile.email = Personal::new("not an address");
    rows[2].profile.card_last4 = Some(Personal::new("12345"));
    rows[3].profile.name = Personal::new("N".repeat(501));
    rows[4].credential.salt = Personal::new("s".repeat(201));
    rows[5].profile.email = Personal::new(rows[0].profile.email.expose().to_uppercase());
    let outcomes = import(&shop, rows.clone()).await.unwrap();

    let reasons: Vec<(u64, String)> = outcomes
        .iter()
        .filter_map(|o| match &o.result {
            ImportResult::Rejected(reason) => Some((o.line, reason.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(reasons.iter().map(|r| r.0).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
    for (line, word) in [(0, "email"), (1, "card_last4"), (2, "name"), (3, "salt"), (4, "e-mail")] {
        assert!(reasons[line].1.contains(word), "{:?}", reasons[line]);
        assert!(!reasons[line].1.contains("example.com") && !reasons[line].1.contains("12345"));
    }
    assert_eq!(state(&shop).await, ImportState { done_to_line: 8, created: 3 });
    // The same call again has the same outcome, except that the customers exist.
    let again = import(&shop, rows).await.unwrap();
    for (before, after) in outcomes.iter().zip(&again) {
        let expected = match &before.result {
            ImportResult::Created(number) => ImportResult::AlreadyThere(*number),
            other => other.clone(),
        };
        assert_eq!(after.result, expected, "line {}", after.line);
    }
    assert_eq!(state(&shop).await, ImportState { done_to_line: 8, created: 3 });
}

#[tokio::test]
async fn a_repeated_call_after_a_lost_answer_goes_on_where_it_was() {
    let shop = Shop::open().await;
    import(&shop, (1..=10).map(row).collect()).await.unwrap();
    let shop = shop.restart().await;
    let outcomes = import(&shop, (6..=15).map(row).collect()).await.unwrap();
    for outcome in &outcomes {
        let there = matches!(outcome.result, ImportResult::AlreadyThere(_));
        assert_eq!(there, outcome.line <= 10, "{outcome:?}");
    }
    assert_eq!(state(&shop).await, ImportState { done_to_line: 15, created: 15 });
}

#[tokio::test]
async fn a_call_that_was_overtaken_by_a_later_one_loses_nobody() {
    let shop = Shop::open().await;
    import(&shop, (11..=20).map(row).collect()).await.unwrap();
    let outcomes = import(&shop, (1..=10).map(row).collect()).await.unwrap();
    assert_eq!(outcomes.iter().map(created).count(), 10);
    assert_eq!(state(&shop).await, ImportState { done_to_line: 20, created: 20 });
}

#[tokio::test]
async fn a_call_fails_as_a_whole() {
    let shop = Shop::open().await;
    shop.keys.book().forgetful = true;
    let failed = import(&shop, (1..=10).map(row).collect()).await;
    refused(failed, ProblemType::UPSTREAM);
    assert_eq!(state(&shop).await, ImportState { done_to_line: 0, created: 0 });
    let find = FindCustomer { email: person(1).email };
    assert_eq!(shop.client("web-1").call(&find).await.unwrap(), None);
    shop.keys.book().forgetful = false;
    let outcomes = import(&shop, (1..=10).map(row).collect()).await.unwrap();
    assert_eq!(outcomes.iter().map(created).count(), 10);
}

#[tokio::test]
async fn a_customer_who_was_here_first_is_not_replaced() {
    let shop = Shop::open().await;
    let password = Personal::new("a fine password");
    let create = CreateCustomer { profile: person(2), password };
    shop.client("web-1").call(&create).await.unwrap();
    let outcomes = import(&shop, (1..=3).map(row).collect()).await.unwrap();
    assert!(matches!(&outcomes[1].result, ImportResult::Rejected(_)), "{:?}", outcomes[1]);
    let again = import(&shop, (1..=3).map(row).collect()).await.unwrap();
    assert_eq!(again[1], outcomes[1]);
}

#[tokio::test]
async fn calls_of_the_wrong_form_are_refused() {
    let shop = Shop::open().await;
    for rows in [vec![], vec![row(2), row(1)], vec![row(1), row(1)], vec![row(0)]] {
        refused(import(&shop, rows).await, ProblemType::BAD_REQUEST);
    }
    let too_many = import(&shop, (1..=1_001).map(row).collect()).await;
    refused(too_many, ProblemType::BAD_REQUEST);
}
