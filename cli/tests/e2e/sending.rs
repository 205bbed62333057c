//! The sending of letters: to staff first, over several relays, again after a relay deferred them,
//! and not while staff pause or stop them.

use std::collections::BTreeMap;

use response_api::{
    LETTER_STOPPED, LedgerState, LetterId, LetterState, LetterStatus, PauseLetter, ReadLetter,
    StartLetter, StopLetter,
};
use testkit::Dns;

use crate::gate::{publish, set_gate};
use crate::letters::{declared, rows, send, sending};
use crate::relay::Relay;
use crate::support::{Place, assert_refused, customers, refusal, stdout, wait_until};

const LETTER: LetterId = LetterId(2);

/// A relay in the configuration.
fn relay_entry(relay: &Relay, weight: i64) -> toml::Value {
    let mut table = toml::toml! { tls = "none" };
    table.insert("address".to_owned(), relay.address.to_string().into());
    table.insert("weight".to_owned(), weight.into());
    table.into()
}

/// Sets one mail provider with these limits.
fn set_provider(letters: &mut toml::Table, limits: toml::Table) {
    let mut provider = toml::toml! {
        name = "home"
        domains = ["home.example"]
    };
    provider.extend(limits);
    letters.insert("providers".to_owned(), toml::Value::Array(vec![provider.into()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_are_written_to_after_staff_unless_there_is_a_reason() {
    let place = Place::with_estate().await;
    let relay = Relay::start(|_, _| None).await;
    place.set_letters(relay.address, |_| {});
    let _running = place.serve_all().await;
    place.import(5);
    declared(&place.staff(), "web-ky-1").await;

    let refused = sending(&place, "customers").output().unwrap();
    assert_refused(&refused, "tell staff first");
    assert_eq!(relay.attempts().len(), 0);
    let reason = ["--before-staff", "the mail server of staff is down"];
    stdout(&sending(&place, "customers").args(reason).output().unwrap());
    assert_eq!(relay.attempts().len(), 5);
    let journal = stdout(&place.run(["incident", "journal", "1"]));
    assert!(
        journal.contains("before staff, because the mail server of staff is down"),
        "{journal}"
    );
    // A letter that everybody has is neither stopped nor resumed.
    let stop = ["letters", "stop", "1", "--reason", "too late", "--yes"];
    assert_refused(&place.run(stop), "the letter is finished");
    assert_refused(&place.run(["letters", "resume", "1"]), "letter 1 is finished");
}

/// The relay refuses the mail of one of ten. Nine of ten are fewer than the 99 of 100 that must get
/// it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nine_of_ten_staff_are_not_enough() {
    let place = Place::with_estate().await;
    let relay = Relay::start(|to, _| to.starts_with("s1@").then_some("550 5.1.1 no such user"));
    let relay = relay.await;
    place.set_letters(relay.address, |_| {});
    let staff: Vec<_> = (0..10).map(|n| format!("Staff {n},s{n}@shop.example,en")).collect();
    std::fs::write(
        place.dir.join("response/staff.csv"),
        format!("name,email,language\n{}\n", staff.join("\n")),
    )
    .unwrap();
    let _running = place.serve_all().await;
    place.import(5);
    declared(&place.staff(), "web-ky-1").await;
    send(&place, "staff");
    let refused = sending(&place, "customers").output().unwrap();
    assert_refused(&refused, "9 of 10 letters to staff are accepted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_share_letters_and_a_connection_carries_a_limited_number() {
    let place = Place::with_estate().await;
    let (big, small) = (Relay::start(|_, _| None).await, Relay::start(|_, _| None).await);
    place.set_letters(big.address, |letters| {
        letters["relays"] = toml::Value::Array(vec![relay_entry(&big, 3), relay_entry(&small, 1)]);
        set_provider(letters, toml::toml! { per_connection = 5 connections = 2 });
    });
    let _running = place.serve_all().await;
    place.import(200);
    declared(&place.staff(), "web-ky-1").await;
    send(&place, "staff");
    send(&place, "customers");
    let mut shares = Vec::new();
    for relay in [&big, &small] {
        let mut carried = BTreeMap::<usize, u32>::new();
        for attempt in relay.attempts().iter().filter(|of| of.to.ends_with("home.example")) {
            *carried.entry(attempt.connection).or_default() += 1;
        }
        assert!(carried.values().all(|letters| *letters <= 5), "{carried:?}");
        shares.push(carried.values().sum::<u32>());
    }
    assert_eq!(shares.iter().sum::<u32>(), 200);
    assert!(
        (120..=180).contains(&shares[0]),
        "the first relay does not get about three quarters: {shares:?}"
    );
}

/// One recipient's mailbox is busy once, and another one is always busy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_that_is_put_off_is_sent_again_and_given_up_in_the_end() {
    let place = Place::with_estate().await;
    let relay = Relay::start(|to, before| match to {
        "person.1@home.example" if before == 0 => Some("451 4.3.0 not now"),
        "person.2@home.example" => Some("452 4.2.2 mailbox full"),
        _ => None,
    });
    let relay = relay.await;
    place.set_letters(relay.address, |letters| {
        let retry = toml::toml! { first = 1 most = 2 attempts = 3 };
        letters.insert("retry".to_owned(), retry.into());
    });
    let _running = place.serve_all().await;
    place.import(5);
    let staff = place.staff();
    declared(&staff, "web-ky-1").await;
    send(&place, "staff");
    send(&place, "customers");
    let of = |to: &str| -> Vec<_> {
        relay.attempts().into_iter().filter(|attempt| attempt.to == to).collect()
    };
    for (to, times) in
        [("person.0@home.example", 1), ("person.1@home.example", 2), ("person.2@home.example", 3)]
    {
        let attempts = of(to);
        assert_eq!(attempts.len(), times, "{attempts:?}");
        assert!(attempts.iter().all(|of| of.message_id == attempts[0].message_id), "{attempts:?}");
    }
    let ledger = rows(&staff, LETTER).await;
    let full = &of("person.2@home.example")[0].message_id;
    let expired: Vec<_> = ledger.iter().filter(|row| row.state == LedgerState::Expired).collect();
    assert_eq!(expired.len(), 1, "{ledger:?}");
    assert_eq!(expired[0].message_id, *full);
    assert_eq!(expired[0].outcome.as_deref(), Some("452 4.2.2 mailbox full"));
    assert_eq!(ledger.iter().filter(|row| row.state == LedgerState::Accepted).count(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_pause_a_letter_let_it_go_on_and_stop_it() {
    let place = Place::with_estate().await;
    let relay = Relay::start(|_, _| None).await;
    place.set_letters(relay.address, |letters| set_provider(letters, toml::toml! { rate = 20 }));
    let _running = place.serve_all().await;
    place.import(400);
    let staff = place.staff();
    declared(&staff, "web-ky-1").await;
    send(&place, "staff");
    let mut following = sending(&place, "customers").spawn().unwrap();
    let status = async || staff.call(&ReadLetter { letter: LETTER }).await.unwrap();
    let accepted = |status: &LetterStatus| status.of(LedgerState::Accepted);
    wait_until("letters go", async || {
        let now = staff.call(&ReadLetter { letter: LETTER }).await;
        now.is_ok_and(|status| accepted(&status) >= 20)
    })
    .await;
    let running = status().await;
    let left = running.seconds_left.unwrap();
    assert!((5..=300).contains(&left), "{left} s for {} at 20 a second", running.open());

    staff.call(&PauseLetter { letter: LETTER }).await.unwrap();
    following.wait().unwrap();
    wait_until("nothing is at a worker", async || status().await.of(LedgerState::Claimed) == 0)
        .await;
    let paused = status().await;
    assert_eq!(paused.state, LetterState::Paused);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(accepted(&status().await), accepted(&paused), "a paused letter is sent");
    let start = StartLetter { letter: LETTER, before_staff: None };
    staff.call(&start).await.unwrap();
    wait_until("the letter goes on", async || accepted(&status().await) > accepted(&paused) + 20)
        .await;

    let stop = StopLetter { letter: LETTER, reason: "the date is wrong".parse().unwrap() };
    staff.call(&stop).await.unwrap();
    wait_until("nothing is at a worker", async || status().await.of(LedgerState::Claimed) == 0)
        .await;
    let stopped = status().await;
    assert_eq!(stopped.state, LetterState::Stopped);
    assert!(refusal(staff.call(&start).await).is(LETTER_STOPPED));
    assert!(accepted(&stopped) < 400, "{stopped:?}");
    let sent = relay.attempts().iter().filter(|of| of.to.ends_with("home.example")).count();
    assert_eq!(accepted(&stopped), sent as u64);
}

/// A mail provider is recognised by the mail exchanges of a recipient's mail domain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_is_known_by_its_mail_exchanges() {
    let place = Place::with_estate().await;
    let dns = Dns::start().await;
    publish(&place, &dns);
    dns.mx("home.example.", "mx7.big.example.");
    let relay = Relay::start(|_, _| None).await;
    place.set_letters(relay.address, |letters| {
        set_gate(letters, &dns, 20);
        let limits = toml::toml! {
            name = "big"
            exchanges = ["big.example"]
            rate = 20
        };
        letters.insert("providers".to_owned(), toml::Value::Array(vec![limits.into()]));
    });
    let _running = place.serve_all().await;
    place.import(100);
    let staff = place.staff();
    declared(&staff, "web-ky-1").await;
    send(&place, "staff");
    let mut following = sending(&place, "customers").spawn().unwrap();
    wait_until("the provider has letters that wait", async || {
        let now = staff.call(&ReadLetter { letter: LETTER }).await;
        now.is_ok_and(|now| now.providers.iter().any(|of| of.provider == "big" && of.waiting > 10))
    })
    .await;
    following.kill().unwrap();
    following.wait().unwrap();
}

/// Half of the customers are at a provider that says that none of their mailboxes exist.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_without_mailboxes_is_paused_alone() {
    let place = Place::with_estate().await;
    let gone = |to: &str| to.ends_with("@home.example").then_some("550 5.1.1 no such user");
    let relay = Relay::start(move |to, _| gone(to)).await;
    place.set_letters(relay.address, |letters| {
        set_provider(letters, toml::toml! { connections = 1 });
    });
    let _running = place.serve_all().await;
    let rows = String::from_utf8(customers(0..300)).unwrap();
    let halves = rows.lines().enumerate().map(|(n, row)| match n % 2 {
        0 => row.replace("@home.example", "@else.example"),
        _ => row.to_owned(),
    });
    place.import_rows((halves.collect::<Vec<_>>().join("\n") + "\n").as_bytes());
    let staff = place.staff();
    declared(&staff, "web-ky-1").await;
    send(&place, "staff");
    let mut following = sending(&place, "customers").spawn().unwrap();
    wait_until("the others have their letters, and the provider is paused", async || {
        let Ok(now) = staff.call(&ReadLetter { letter: LETTER }).await else { return false };
        let paused = now.providers.iter().find_map(|of| of.paused.as_ref().map(|why| (of, why)));
        let named = paused.is_some_and(|(of, why)| {
            of.provider == "home" && why.contains("letters found no mailbox")
        });
        named && now.of(LedgerState::Accepted) == 150
    })
    .await;
    following.kill().unwrap();
    following.wait().unwrap();
    let tried = relay.attempts().iter().filter(|of| of.to.ends_with("home.example")).count();
    assert_eq!(tried, 50, "the provider is paused after another number than 5 % of a thousand");
}
