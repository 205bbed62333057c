//! Letters bring customers to the pages on which they set new passwords. While those pages are
//! busy, letters wait.

use std::time::Duration;

use accounts_api::CheckPassword;
use cofferdam_core::Personal;
use estate::Compartment::Accounts;
use response_api::{LetterId, LetterState, ReadLetter};

use crate::letters::{declared, send, sending};
use crate::relay::accepting_relay;
use crate::support::{Place, wait_until, wait_within};

const CUSTOMERS: u32 = 20_000;
/// Customers who type a password at the same time.
const TYPING: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_wait_while_the_pages_are_busy() {
    let place = Place::with_estate().await;
    let (at, _) = accepting_relay().await;
    place.set_letters(at, |letters| {
        letters.insert("reset_pages_busy".to_owned(), 10.into());
    });
    let _running = place.serve_all().await;
    place.import(CUSTOMERS);
    let staff = place.staff();
    declared(&staff, "web-ky-1").await;
    send(&place, "staff");
    let mut typing = tokio::task::JoinSet::new();
    for n in 0..TYPING {
        let shop = place.client(Accounts, "web-ky-1");
        typing.spawn(async move {
            loop {
                let email = Personal::new(format!("person.{n}@home.example"));
                let _ = shop.call(&CheckPassword { email, password: Personal::new("x") }).await;
            }
        });
    }
    let mut sending = sending(&place, "customers").spawn().unwrap();
    let letter = LetterId(2);
    let status = async || staff.call(&ReadLetter { letter }).await;
    let held_back = async || {
        let pages = status().await.ok().and_then(|status| status.reset_pages);
        pages.is_some_and(|pages| pages.busy_percent > Some(10) && pages.rate.is_some())
    };
    wait_until("letters are held back", held_back).await;
    typing.shutdown().await;
    let free = async || {
        let pages = status().await.unwrap().reset_pages;
        pages.is_none_or(|pages| pages.busy_percent <= Some(10))
    };
    wait_within(Duration::from_mins(1), "the pages are free", free).await;
    assert_eq!(
        status().await.unwrap().state,
        LetterState::Running,
        "the letter did more than wait"
    );
    sending.kill().unwrap();
    sending.wait().unwrap();
}
