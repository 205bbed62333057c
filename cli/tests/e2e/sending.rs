//! How letters leave: staff first, over several relays, again after a relay said not now, and not
//! while staff say pause or stop.

use std::collections::BTreeMap;

use response_api::{
    LedgerState, LetterId, LetterState, LetterStatus, PauseLetter, ReadLetter, StartLetter,
    StopLetter,
};
use testkit::Dns;

use crate::gate::{publish, set_gate};
use crate::letters::{declared, rows, send, sending};
use crate::relay::Relay;
use crate::support::{Place, cofferdam, customers, said, until};

const LETTER: LetterId = LetterId(2);

fn relay_at(relay: &Relay, weight: i64) -> toml::Value {
    let mut table = toml::toml! { tls = "none" };
    table.insert("address".to_owned(), relay.address.to_string().into());
    table.insert("weight".to_owned(), weight.into());
    table.into()
}

/// One provider with these limits.
fn provider(letters: &mut toml::Table, limits: toml::Table) {
    let mut provider = toml::toml! {
        name = "home"
        domains = ["home.example"]
    };
    provider.extend(limits);
    letters.insert("providers".to_owned(), toml::Value::Array(vec![provider.into()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_are_written_to_after_staff_or_for_a_reason() {
    let place = Place::new();
    place.make();
    let relay = Relay::start(|_, _| None).await;
    place.set_letters(relay.address, |_| {});
    let _running = place.serve_all().await;
    place.import(5);
    declared(&place.client("response", "operator-1"), "web-ky-1").await;

    let refused = sending(&place, "customers").output().unwrap();
    assert!(!refused.status.success());
    assert!(said(&refused).contains("write to staff first"), "{}", said(&refused));
    assert_eq!(relay.attempts().len(), 0);
    let reason = ["--before-staff", "the mail server of staff is down"];
    let told = sending(&place, "customers").args(reason).output().unwrap();
    assert!(told.status.success(), "{}", said(&told));
    assert_eq!(relay.attempts().len(), 5);
    let at = ["--dir", place.path()];
    let journal = cofferdam(["incident", "journal", "1"]).args(at).output().unwrap();
    let journal = String::from_utf8_lossy(&journal.stdout).into_owned();
    assert!(
        journal.contains("before staff, because the mail server of staff is down"),
        "{journal}"
    );
}

/// A relay that has none of one staff member's mail: 9 of 10 are not 99 of 100.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nine_of_ten_staff_are_not_enough() {
    let place = Place::new();
    place.make();
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
    declared(&place.client("response", "operator-1"), "web-ky-1").await;
    send(&place, "staff");
    let refused = sending(&place, "customers").output().unwrap();
    assert!(said(&refused).contains("9 of 10 letters to staff are accepted"), "{}", said(&refused));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_share_letters_and_a_connection_carries_so_many() {
    let place = Place::new();
    place.make();
    let (big, small) = (Relay::start(|_, _| None).await, Relay::start(|_, _| None).await);
    place.set_letters(big.address, |letters| {
        letters["relays"] = toml::Value::Array(vec![relay_at(&big, 3), relay_at(&small, 1)]);
        provider(letters, toml::toml! { per_connection = 5 connections = 2 });
    });
    let _running = place.serve_all().await;
    place.import(200);
    declared(&place.client("response", "operator-1"), "web-ky-1").await;
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
    assert!((120..=180).contains(&shares[0]), "three quarters of them: {shares:?}");
}

/// One recipient's mailbox is busy once, another's always.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_put_off_comes_again_and_is_given_up_in_the_end() {
    let place = Place::new();
    place.make();
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
    let staff = place.client("response", "operator-1");
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
async fn a_letter_pauses_goes_on_and_stops_when_staff_say_so() {
    let place = Place::new();
    place.make();
    let relay = Relay::start(|_, _| None).await;
    place.set_letters(relay.address, |letters| provider(letters, toml::toml! { rate = 20 }));
    let _running = place.serve_all().await;
    place.import(400);
    let staff = place.client("response", "operator-1");
    declared(&staff, "web-ky-1").await;
    send(&place, "staff");
    let mut following = sending(&place, "customers").spawn().unwrap();
    let status = async || staff.call(&ReadLetter { letter: LETTER }).await.unwrap();
    let accepted = |status: &LetterStatus| status.of(LedgerState::Accepted);
    until("letters go", async || {
        let now = staff.call(&ReadLetter { letter: LETTER }).await;
        now.is_ok_and(|status| accepted(&status) >= 20)
    })
    .await;
    let running = status().await;
    let left = running.seconds_left.unwrap();
    assert!((5..=300).contains(&left), "{left} s for {} at 20 a second", running.open());

    staff.call(&PauseLetter { letter: LETTER, provider: None }).await.unwrap();
    following.wait().unwrap();
    until("nothing is at a worker", async || status().await.of(LedgerState::Claimed) == 0).await;
    let paused = status().await;
    assert_eq!(paused.state, LetterState::Paused);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(accepted(&status().await), accepted(&paused), "it rests");
    let start = StartLetter { letter: LETTER, before_staff: None };
    staff.call(&start).await.unwrap();
    until("it goes on", async || accepted(&status().await) > accepted(&paused) + 20).await;

    let stop = StopLetter { letter: LETTER, reason: "a wrong date in it".to_owned() };
    staff.call(&stop).await.unwrap();
    until("nothing is at a worker", async || status().await.of(LedgerState::Claimed) == 0).await;
    let stopped = status().await;
    assert_eq!(stopped.state, LetterState::Stopped);
    let refused = staff.call(&start).await.unwrap_err().to_string();
    assert!(refused.contains("the letter was stopped"), "{refused}");
    assert!(accepted(&stopped) < 400, "{stopped:?}");
    let sent = relay.attempts().iter().filter(|of| of.to.ends_with("home.example")).count();
    assert_eq!(accepted(&stopped), sent as u64);
}

/// Of two domains one has its mail at a provider that is known by its exchanges.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_is_known_by_its_exchanges() {
    let place = Place::new();
    place.make();
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
    let staff = place.client("response", "operator-1");
    declared(&staff, "web-ky-1").await;
    send(&place, "staff");
    let mut following = sending(&place, "customers").spawn().unwrap();
    until("the provider has letters that wait", async || {
        let now = staff.call(&ReadLetter { letter: LETTER }).await;
        now.is_ok_and(|now| now.providers.iter().any(|of| of.provider == "big" && of.waiting > 10))
    })
    .await;
    following.kill().unwrap();
    following.wait().unwrap();
}

/// Half of the customers have mailboxes at a provider that knows none of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_knows_nobody_is_paused_alone() {
    let place = Place::new();
    place.make();
    let gone = |to: &str| to.ends_with("@home.example").then_some("550 5.1.1 no such user");
    let relay = Relay::start(move |to, _| gone(to)).await;
    place.set_letters(relay.address, |letters| provider(letters, toml::toml! { connections = 1 }));
    let _running = place.serve_all().await;
    let rows = String::from_utf8(customers(0..300)).unwrap();
    let file = place.dir.join("customers.csv");
    let halves = rows.lines().enumerate().map(|(n, row)| match n % 2 {
        0 => row.replace("@home.example", "@else.example"),
        _ => row.to_owned(),
    });
    std::fs::write(&file, halves.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    let import = ["import", "customers", file.to_str().unwrap(), "--dir", place.path()];
    assert!(cofferdam(import).status().unwrap().success());
    let staff = place.client("response", "operator-1");
    declared(&staff, "web-ky-1").await;
    send(&place, "staff");
    let mut following = sending(&place, "customers").spawn().unwrap();
    until("the others have theirs, and it rests", async || {
        let Ok(now) = staff.call(&ReadLetter { letter: LETTER }).await else { return false };
        let rests = now.providers.iter().find_map(|of| of.paused.as_ref().map(|why| (of, why)));
        let said = rests.is_some_and(|(of, why)| {
            of.provider == "home" && why.contains("letters found no mailbox")
        });
        said && now.of(LedgerState::Accepted) == 150
    })
    .await;
    following.kill().unwrap();
    following.wait().unwrap();
    let tried = relay.attempts().iter().filter(|of| of.to.ends_with("home.example")).count();
    assert_eq!(tried, 50, "5 % of a thousand");
}
