//! Mail that comes back from letters, handed in as a mail server does it, and the list of people to
//! write to on paper.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use cofferdam_core::{Clock, SystemClock};
use cofferdam_mail::{DkimAlgorithm, DkimKey, generate_dkim_key, signed};
use response_api::{LedgerState, LetterId, ReadLetter};
use sqlx::Connection as _;
use testkit::{Dns, free_address};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::gate::{publish, set_gate};
use crate::letters::{declared, rows, send, sending};
use crate::relay::accepting_relay;
use crate::support::{Place, assert_refused, stderr, stdout, wait_until};

const CUSTOMERS: u32 = 8;
const DOMAIN: &str = "back.shop.example";

/// Hands a message in over LMTP. Returns the last reply.
async fn hand_in(at: SocketAddr, recipient: &str, message: &str) -> String {
    let mut stream = BufReader::new(TcpStream::connect(at).await.unwrap());
    let mut reply = String::new();
    stream.read_line(&mut reply).await.unwrap();
    let text = format!("{}\r\n.\r\n", message.replace('\n', "\r\n"));
    let steps = ["LHLO mx\r\n", "MAIL FROM:<>\r\n", &format!("RCPT TO:<{recipient}>\r\n")];
    for step in steps.into_iter().chain(["DATA\r\n", text.as_str()]) {
        stream.write_all(step.as_bytes()).await.unwrap();
        loop {
            reply.clear();
            stream.read_line(&mut reply).await.unwrap();
            if reply.get(3..4) != Some("-") {
                break;
            }
        }
        if reply.starts_with('5') {
            break;
        }
    }
    reply.trim_end().to_owned()
}

/// A report that a message did not arrive.
fn bounce(action: &str, status: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example\nSubject: Undelivered Mail Returned to Sender\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\
         MIME-Version: 1.0\n\n--b\nContent-Type: text/plain\n\nSorry.\n\n--b\n\
         Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n\
         Final-Recipient: rfc822; person.1@home.example\nAction: {action}\nStatus: {status}\n\
         Diagnostic-Code: smtp; 550 {status} <person.1@home.example> no such user\n\n--b--\n"
    )
}

/// A complaint about a message with this return path.
fn complaint(return_path: &str) -> String {
    format!(
        "From: feedback@isp.example\nSubject: complaint\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\n\n--b\n\
         Content-Type: text/plain\n\nA complaint.\n\n--b\nContent-Type: message/feedback-report\n\n\
         Feedback-Type: abuse\nVersion: 1\nOriginal-Mail-From: <{return_path}>\n\n--b--\n"
    )
}

/// A complaint whose provider leaves only the Message-ID of the letter.
fn complaint_by_id(message_id: &str) -> String {
    complaint("redacted@isp.example").replace(
        "\n\n--b--",
        &format!(
            "\n\n--b\nContent-Type: text/rfc822-headers\n\nFrom: letters@shop.example\n\
             Message-ID: <{message_id}>\n\n--b--"
        ),
    )
}

const QUESTION: &str = "From: person@home.example\nSubject: Re: your letter\n\nIs my card safe?\n";

const VACATION: &str = "From: person.4@home.example\nSubject: Out of office\n\
     Auto-Submitted: auto-replied\n\nI am away.\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn returned_mail_is_in_the_ledger_and_the_post_reaches_the_rest() {
    let place = Place::with_estate().await;
    let (at, taken) = accepting_relay().await;
    let free = free_address();
    place.set_letters(at, |letters| {
        letters.insert("return_domain".to_owned(), DOMAIN.into());
        letters.insert("return_listen".to_owned(), free.to_string().into());
    });
    let _running = place.serve_all().await;
    place.import(CUSTOMERS);
    let staff = place.staff();
    declared(&staff, "web-ky-1").await;
    send(&place, "staff");
    send(&place, "customers");
    let taken = taken.lock().unwrap().clone();
    let address_of = |n: u32| {
        let to = format!("person.{n}@home.example");
        taken.iter().find(|(_, of)| *of == to).unwrap().0.clone()
    };
    assert!(taken.iter().all(|(from, _)| from.ends_with(DOMAIN)), "{taken:?}");

    let empty = hand_in(free, &address_of(0), "").await;
    assert!(empty.starts_with("250"), "an empty message is refused: {empty}");
    for (person, message) in
        [(1, bounce("failed", "5.1.1")), (2, bounce("delayed", "4.4.1")), (4, VACATION.to_owned())]
    {
        let message = message.replace("person.1", &format!("person.{person}"));
        for _ in 0..2 {
            let reply = hand_in(free, &address_of(person), &message).await;
            assert!(reply.starts_with("250"), "{reply}");
        }
    }
    let complaints = format!("complaints@{DOMAIN}");
    for from in [address_of(3), address_of(3).replace("b-2", "b-1"), "x@y.example".to_owned()] {
        let reply = hand_in(free, &complaints, &complaint(&from)).await;
        assert!(reply.starts_with("250"), "{reply}");
    }
    for forged in [address_of(5).replace("b-2-", "b-2-1"), format!("postmaster@{DOMAIN}")] {
        let refused = hand_in(free, &forged, &bounce("failed", "5.1.1")).await;
        assert!(refused.starts_with("550"), "{refused}");
    }
    complain_by_id(&place, free).await;
    for (person, times) in [(5, 4), (6, 1)] {
        for _ in 0..times {
            let reply = hand_in(free, &address_of(person), QUESTION).await;
            assert!(reply.starts_with("250"), "{reply}");
        }
    }
    let ledger = rows(&staff, LetterId(2)).await;
    let state = |state| ledger.iter().filter(|row| row.state == state).collect::<Vec<_>>();
    let bounced = state(LedgerState::Bounced);
    assert_eq!((bounced.len(), state(LedgerState::Complained).len()), (1, 3), "{ledger:?}");
    let outcome = bounced[0].outcome.as_deref().unwrap();
    assert!(outcome.starts_with("5.1.1") && !outcome.contains('@'), "{outcome}");
    for person in [2, 7] {
        assert_eq!(ledger[person].state, LedgerState::Complained, "found by its Message-ID");
    }
    assert_eq!(state(LedgerState::Accepted).len(), CUSTOMERS as usize - 4);
    decide_about_the_rest(&place);
    write_paper_post(&place);
}

/// Complains about a letter, and about one that was planned before Message-IDs were sealed. The
/// complaints name a Message-ID only.
async fn complain_by_id(place: &Place, at: SocketAddr) {
    for (person, form) in [(7, 1), (2, 0)] {
        set_id_form(place, form).await;
        let by_id = rows(&place.staff(), LetterId(2)).await[person].message_id.clone();
        let complaints = format!("complaints@{DOMAIN}");
        let reply = hand_in(at, &complaints, &complaint_by_id(&by_id)).await;
        assert!(reply.starts_with("250"), "{reply}");
    }
}

/// Letters that were planned before Message-IDs were sealed have the form 0.
async fn set_id_form(place: &Place, form: i64) {
    let url = format!("sqlite://{}", place.file("response/response.db"));
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let update = sqlx::query("UPDATE letter SET id_form = $1");
    update.bind(form).execute(&mut connection).await.unwrap();
}

/// A message that no rule understands is counted, listed, shown and decided about. None is dropped.
fn decide_about_the_rest(place: &Place) {
    let shown = place.json(["letters", "show", "2"]);
    assert_eq!((&shown["perhaps_not_reached"], &shown["not_understood"]), (&3.into(), &6.into()));
    let list = place.json(["letters", "returned", "list", "2"]);
    let people: Vec<_> = list.as_array().unwrap().iter().collect();
    let row = |n: usize| (&people[n]["person"], &people[n]["messages"], &people[n]["kept"]);
    assert_eq!(row(0), (&0.into(), &1.into(), &1.into()));
    assert_eq!(row(1), (&5.into(), &4.into(), &3.into()));
    assert_eq!(row(2), (&6.into(), &1.into(), &1.into()));
    let show = |number| ["letters", "returned", "show", "2", "--person", "5", "--number", number];
    let text = place.json(show("2"))["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("Return-Path: <>") && text.contains("Is my card safe?"), "{text}");
    assert_refused(&place.run(show("3")), "no message 3");
    for (number, next) in [("1", "show 2 --person 5 --number 2"), ("2", "--person 5 --seen 4")] {
        let said = stderr(&place.run(show(number)));
        assert!(said.contains(next), "{said}");
    }
    let decide = |person: &str, seen: &str, decision: &str| {
        let mut decide = place.cofferdam(["letters", "returned", "decide", "2"]);
        decide.args(["--person", person, "--seen", seen, "--decision", decision]).output().unwrap()
    };
    stdout(&decide("0", "1", "not-reached"));
    stdout(&decide("6", "1", "arrived"));
    assert_refused(&decide("4", "1", "not-reached"), "nothing came back");
    // One more message came than those that were seen.
    assert_refused(&decide("5", "3", "arrived"), "4 messages of person 5 of letter 2 came, and 3");
    assert_eq!(place.json(["letters", "show", "2"])["perhaps_not_reached"], 1);
    let journal = stdout(&place.run(["incident", "journal", "1"]));
    for act in ["returned.list", "returned.read", "returned.decide"] {
        assert!(journal.contains(act), "{act}: {journal}");
    }
}

/// Anybody can write complaints about letters. The ledger keeps ten of them, and only ten that the
/// provider signed pause its mailboxes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_complaints_that_a_provider_signed_pause_its_mailboxes() {
    let place = Place::with_estate().await;
    let (dns, key) = (Dns::start().await, dkim_key("isp.example", "arf"));
    publish(&place, &dns);
    dns.txt(&format!("{DOMAIN}."), "v=spf1 ip4:192.0.2.10 -all");
    dns.txt("arf._domainkey.isp.example.", &key.record().unwrap());
    let (at, taken) = accepting_relay().await;
    let free = free_address();
    place.set_letters(at, |letters| {
        set_gate(letters, &dns, 10);
        letters.insert("return_domain".to_owned(), DOMAIN.into());
        letters.insert("return_listen".to_owned(), free.to_string().into());
        letters.insert("complaints_from".to_owned(), vec!["feedback@isp.example"].into());
    });
    let _running = place.serve_all().await;
    place.import(400);
    let staff = place.staff();
    declared(&staff, "web-ky-1").await;
    send(&place, "staff");
    let mut sending = sending(&place, "customers").spawn().unwrap();
    let letter = LetterId(2);
    let sent = || -> Vec<String> {
        let taken = taken.lock().unwrap().clone();
        taken.into_iter().map(|(from, _)| from).filter(|from| from.starts_with("b-2")).collect()
    };
    wait_until("letters arrive", async || sent().len() >= 20).await;
    let letters = sent();
    let complaints = format!("complaints@{DOMAIN}");
    let complain = async |message: String| {
        // The ledger may not yet know that the letter went out.
        wait_until("the complaint is taken", async || {
            hand_in(free, &complaints, &message).await.starts_with("250")
        })
        .await;
    };
    let paused = async || {
        let status = staff.call(&ReadLetter { letter }).await.unwrap();
        status.providers.iter().any(|of| of.paused.is_some())
    };
    for from in &letters[..10] {
        complain(complaint(from)).await;
    }
    assert!(!paused().await, "unsigned complaints pause a provider");
    for from in &letters[10..20] {
        let message = complaint(from).replace('\n', "\r\n");
        let message =
            signed(message.as_bytes(), std::slice::from_ref(&key), SystemClock.now()).unwrap();
        complain(String::from_utf8(message).unwrap().replace("\r\n", "\n")).await;
    }
    wait_until("the provider is paused", paused).await;
    let ledger = rows(&staff, letter).await;
    let complained = ledger.iter().filter(|row| row.state == LedgerState::Complained);
    let outcomes: Vec<_> = complained.map(|row| row.outcome.as_deref().unwrap()).collect();
    let count = |outcome| outcomes.iter().filter(|of| **of == outcome).count();
    let unsigned = count("abuse, not signed by a known sender");
    assert_eq!((outcomes.len(), count("abuse"), unsigned), (20, 10, 10), "{outcomes:?}");
    sending.kill().unwrap();
    sending.wait().unwrap();
}

fn dkim_key(domain: &str, selector: &str) -> DkimKey {
    let pem = generate_dkim_key(DkimAlgorithm::Rsa).unwrap();
    DkimKey::from_pem(domain, selector, pem.as_bytes(), Path::new("a test")).unwrap()
}

/// Two people sign for the addresses of people whom no e-mail reached. Each address is on the list
/// once.
fn write_paper_post(place: &Place) {
    let (order, list) = (place.file("paper-post.order"), place.file("paper-post.csv"));
    stdout(&place.run(["order", "draft", "paper-post", "2", "--out", &order]));
    assert_refused(&place.run(["order", "apply", &order, "--yes"]), "sign");
    place.sign(&order);
    let opened = place.json(["order", "apply", &order, "--yes"]);
    let warrant = opened["result"]["warrant"].as_str().unwrap();
    let export = ["paper-post", "export", "2", "--warrant", warrant, "--out", &list];
    assert_eq!(place.json(export)["written"], 3);
    let text = fs::read_to_string(&list).unwrap();
    for row in [",other,en,Person 0,", ",no_mailbox,en,Person 1,1 Main St", ",perhaps,en,Person 5,"]
    {
        assert!(text.lines().any(|line| line.contains(row)), "{row}: {text}");
    }
    assert_eq!(text.lines().count(), 4, "{text}");
    let journal = stdout(&place.run(["incident", "journal", "1"]));
    assert!(journal.contains("letters.post.read"), "{journal}");
}
