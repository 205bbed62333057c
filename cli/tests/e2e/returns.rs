//! What comes back from letters, handed in as a mail server does it; and the list for the post.

use std::fs;
use std::net::SocketAddr;
use std::process::Output;

use response_api::{LedgerState, LetterId};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::letters::{approvers, declared, rows, send};
use crate::relay::relay;
use crate::support::{Place, cofferdam, said};

const CUSTOMERS: u32 = 8;
const DOMAIN: &str = "back.shop.example";

/// Hands a message in over LMTP; the last reply.
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

fn complaint(return_path: &str) -> String {
    format!(
        "From: feedback@isp.example\nSubject: complaint\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\n\n--b\n\
         Content-Type: text/plain\n\nA complaint.\n\n--b\nContent-Type: message/feedback-report\n\n\
         Feedback-Type: abuse\nVersion: 1\nOriginal-Mail-From: <{return_path}>\n\n--b--\n"
    )
}

const VACATION: &str = "From: person.4@home.example\nSubject: Out of office\n\
     Auto-Submitted: auto-replied\n\nI am away.\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_back_is_in_the_ledger_and_the_post_takes_over() {
    let place = Place::new();
    place.make();
    let (at, taken) = relay().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    place.set_letters(at, |letters| {
        letters.insert("return_domain".to_owned(), DOMAIN.into());
        letters.insert("return_listen".to_owned(), free.to_string().into());
    });
    let _running = place.serve_all().await;
    place.import(CUSTOMERS);
    let staff = place.client("response", "operator-1");
    declared(&staff).await;
    send(&place, "staff");
    send(&place, "customers");
    let taken = taken.lock().unwrap().clone();
    let address_of = |n: u32| {
        let to = format!("person.{n}@home.example");
        taken.iter().find(|(_, of)| *of == to).unwrap().0.clone()
    };
    assert!(taken.iter().all(|(from, _)| from.ends_with(DOMAIN)), "{taken:?}");

    let empty = hand_in(free, &address_of(0), "").await;
    assert!(empty.starts_with("250"), "an empty message says nothing: {empty}");
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
    // Record numbers are keyed by nothing here: the import gave them in order.
    let ledger = rows(&staff, LetterId(2)).await;
    let state = |state| ledger.iter().filter(|row| row.state == state).collect::<Vec<_>>();
    let bounced = state(LedgerState::Bounced);
    assert_eq!((bounced.len(), state(LedgerState::Complained).len()), (1, 1), "{ledger:?}");
    let said = bounced[0].outcome.as_deref().unwrap();
    assert!(said.starts_with("5.1.1") && !said.contains('@'), "{said}");
    assert_eq!(state(LedgerState::Accepted).len(), CUSTOMERS as usize - 2);
    post(&place);
}

fn ok(output: &Output) {
    assert!(output.status.success(), "{}", said(output));
}

/// Two people sign for the addresses of those not reached; each is on the list once.
fn post(place: &Place) {
    let file = |name: &str| place.dir.join(name).to_str().unwrap().to_owned();
    let (order, list) = (file("post.order"), file("post.csv"));
    let at = ["--dir", place.path()];
    let draft = cofferdam(["letters", "post", "draft", "2", "--out", &order]).args(at).output();
    ok(&draft.unwrap());
    let export = || {
        let args = ["letters", "post", "export", "2", &order, "--out", &list];
        cofferdam(args).args(at).output().unwrap()
    };
    let unsigned = export();
    assert!(!unsigned.status.success(), "nobody signed");
    ok(&cofferdam(["staff", "sign", &order]).args(approvers(place)).output().unwrap());
    ok(&export());
    let text = fs::read_to_string(&list).unwrap();
    assert_eq!(text.lines().nth(1).unwrap().split_once(',').unwrap().1, "en,Person 1,1 Main St");
    assert_eq!(text.lines().count(), 2, "{text}");
    let journal = cofferdam(["incident", "journal", "1"]).args(at).output().unwrap();
    let journal = String::from_utf8_lossy(&journal.stdout).into_owned();
    assert!(journal.contains("letters.post.read"), "{journal}");
}
