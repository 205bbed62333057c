//! A customer who doubts a letter types its code into the public page, in a real browser.

use std::fs;

use testkit::{Browser, SmtpSink, free_address};

use crate::letters::{declared, send};
use crate::support::Place;

/// Finds the last code in the letters: `XXXXX-XXXXX`.
fn code(letters: &str) -> &str {
    let is = |word: &&str| {
        let alphanumeric = |part: &str| {
            part.len() == 5 && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        };
        word.split_once('-').is_some_and(|(a, b)| alphanumeric(a) && alphanumeric(b))
    };
    letters.split_whitespace().rfind(is).unwrap()
}

/// Finds the last subject in the letters.
fn subject(letters: &str) -> &str {
    letters.lines().rev().find_map(|line| line.strip_prefix("Subject: ")).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_checks_a_letter_in_a_browser() {
    let place = Place::with_estate().await;
    let at = free_address();
    let dump = place.dir.join("arrived");
    let _sink = SmtpSink::start(at, Some(&dump));
    place.set_letters(at, |_| {});
    let _running = place.serve_all().await;
    place.import(3);
    let staff = place.staff();
    declared(&staff, "web-ky-1").await;
    send(&place, "staff");
    send(&place, "customers");
    let letters = fs::read_to_string(&dump).unwrap();
    let (code, subject) = (code(&letters), subject(&letters));
    let config = place.toml("response/response.toml");
    let page = format!("http://{}/verify", config["notice_listen"].as_str().unwrap());

    let browser = Browser::open(360, 740).await;
    browser.go(&page).await;
    assert_eq!(browser.read("h1").await, "Is this letter from us?");
    assert!(browser.fits().await, "the page is wider than a phone");
    // People type small letters, and blanks around the code.
    browser.type_into("#code", &format!(" {} ", code.to_lowercase())).await;
    browser.click("button").await;
    let genuine = browser.read(".genuine").await;
    assert!(genuine.contains("was written by us") && genuine.contains(subject), "{genuine}");
    assert!(browser.fits().await, "the answer is wider than a phone");

    let forged = code.chars().rev().collect::<String>();
    browser.type_into("#code", &forged).await;
    browser.click("button").await;
    assert!(browser.read(".forged").await.contains("it is a forgery"));

    browser.click("a[hreflang=de]").await;
    assert_eq!(browser.read("html[lang=de] label").await, "Code im Brief");
    browser.type_into("#code", code).await;
    browser.click("button").await;
    assert!(
        browser.read(".genuine").await.contains(subject),
        "the answer is not in the language of the page"
    );
    browser.close().await;
}
