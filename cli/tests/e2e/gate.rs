//! The gate in front of letters: a letter starts only if receivers would accept it as the shop's
//! own, and every thousandth letter is checked again.

use std::fs;
use std::net::SocketAddr;
use std::process::Output;

use cofferdam_mail::DkimKey;
use response_api::{LedgerState, LetterId, LetterState, ReadLetter, StartLetter};
use testkit::Dns;

use crate::letters::{declared, rows, sending};
use crate::relay::accepting_relay;
use crate::support::{Place, assert_refused, stdout, wait_until};

const CUSTOMERS: u32 = 1_500;
/// Letters a second; slow enough that the thousandth letter comes seconds after the first.
const RATE: i64 = 300;
/// The name under which the estate's DKIM key is published.
const DKIM: &str = "letters._domainkey.shop.example.";

/// The DKIM record of the estate's own key.
fn dkim_record(place: &Place) -> String {
    let file = place.dir.join("response/dkim.pem");
    let key = DkimKey::from_pem("shop.example", "letters", &fs::read(&file).unwrap(), &file);
    key.unwrap().record().unwrap()
}

/// Closes the estate's gate, which asks `dns`.
fn close_gate(place: &Place, dns: &Dns, relay: SocketAddr) {
    place.set_letters(relay, |letters| set_gate(letters, dns, RATE));
}

/// Sets a gate that asks `dns`, before letters that leave at `rate` a second.
pub fn set_gate(letters: &mut toml::Table, dns: &Dns, rate: i64) {
    assert_eq!(letters["dkim"][0]["selector"].as_str(), Some("letters"));
    let mut gate = toml::toml! {
        sends_from = ["192.0.2.10"]
        helo = "mx1.shop.example"
    };
    gate.insert("resolver".to_owned(), dns.address().to_string().into());
    letters.insert("gate".to_owned(), gate.into());
    let mut provider = toml::toml! {
        name = "post"
        domains = ["home.example"]
    };
    provider.insert("rate".to_owned(), rate.into());
    letters.insert("providers".to_owned(), toml::Value::Array(vec![provider.into()]));
}

/// Publishes the records that receivers look for.
pub fn publish(place: &Place, dns: &Dns) {
    dns.txt("shop.example.", "v=spf1 ip4:192.0.2.10 -all");
    dns.txt("_dmarc.shop.example.", "v=DMARC1; p=reject");
    dns.host("mx1.shop.example.", [192, 0, 2, 10]);
    dns.txt(DKIM, &dkim_record(place));
}

fn send(place: &Place, audience: &str) -> Output {
    sending(place, audience).output().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_letter_starts_or_goes_on_that_receivers_would_not_take_for_the_shops_own() {
    let place = Place::with_estate().await;
    let dns = Dns::start().await;
    let (at, taken) = accepting_relay().await;
    close_gate(&place, &dns, at);
    let _running = place.serve_all().await;
    place.import(CUSTOMERS);
    let staff = place.staff();
    declared(&staff, "web-ky-1").await;

    let refused = send(&place, "staff");
    for check in ["SPF of 192.0.2.10", "reverse DNS of 192.0.2.10", "DKIM keys", "DMARC policy"] {
        assert_refused(&refused, check);
    }
    assert!(taken.lock().unwrap().is_empty());

    publish(&place, &dns);
    let told = send(&place, "staff");
    stdout(&told);
    let to_staff = taken.lock().unwrap().len();

    let letter = LetterId(2);
    let mut sending = sending(&place, "customers").spawn().unwrap();
    wait_until("a letter arrives", async || taken.lock().unwrap().len() > to_staff).await;
    dns.remove(DKIM);
    let status = async || staff.call(&ReadLetter { letter }).await.unwrap();
    wait_until("the letter is paused", async || status().await.state == LetterState::Paused).await;
    let paused = status().await;
    assert!(paused.trouble.as_deref().unwrap_or_default().contains("receivers would not take"));
    let sent = paused.of(LedgerState::Accepted);
    assert!((900..1_100).contains(&sent), "{sent} of {CUSTOMERS} went out");
    let again = StartLetter { letter, before_staff: None };
    assert!(staff.call(&again).await.is_err(), "the letter starts without a published key");

    dns.txt(DKIM, &dkim_record(&place));
    staff.call(&again).await.unwrap();
    wait_until("the letter ends", async || status().await.state == LetterState::Finished).await;
    let _ = sending.kill();
    sending.wait().unwrap();
    let accepted = rows(&staff, letter).await;
    let accepted = accepted.iter().filter(|row| row.state == LedgerState::Accepted).count();
    assert_eq!(accepted, CUSTOMERS as usize);
    assert_eq!(
        taken.lock().unwrap().len(),
        to_staff + CUSTOMERS as usize,
        "somebody got two letters, or none"
    );
}
