//! Mail against the project's own sink, and against a relay that refuses readers.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use cofferdam_core::Personal;
use cofferdam_mail::sink::{self, SinkIndex};
use mail_parser::MessageParser;
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::{ORIGIN, alarm, at, details, fault};
use crate::delivery::mail::{Mail, mailbox};
use crate::delivery::text::{Origin, one_line};
use crate::delivery::{DeliveryError, Sink, SinkConfig};

const HEADERS: [&str; 9] = [
    "Date",
    "From",
    "To",
    "Subject",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];
const NOW: &str = "2026-11-23T02:05:00Z";

fn config(relay: &str, recipients: &[&str]) -> SinkConfig {
    SinkConfig::Mail {
        name: "pager".to_owned(),
        relay: relay.to_owned(),
        from: "keys@shop.example".to_owned(),
        recipients: recipients.iter().map(|to| (*to).to_owned()).collect(),
    }
}

fn open(relay: SocketAddr, recipients: &[&str]) -> Sink {
    Sink::open(&config(&relay.to_string(), recipients), ORIGIN).unwrap()
}

/// The project's mail sink: its address, and the directory of the mail that arrives.
async fn mail_sink() -> (SocketAddr, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let listener = sink::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let path = dir.path().to_owned();
    tokio::spawn(async move { sink::serve(&path, listener, std::future::pending()).await });
    (address, dir)
}

#[tokio::test]
async fn every_reader_gets_the_whole_alarm() {
    let (address, dir) = mail_sink().await;
    let readers = ["ann@shop.example", "bob@shop.example"];
    let alarm = alarm("12,001 of 10,000 in an hour\r\nBcc: eve@mail.example\r\n.\r\n");
    open(address, &readers).deliver(&alarm, at(NOW)).await.unwrap();

    let index = SinkIndex::load(dir.path()).unwrap();
    assert_eq!(index.arrivals().len(), 2);
    for (reader, arrival) in readers.iter().zip(index.arrivals()) {
        assert_eq!(arrival.recipient, Personal::new(*reader));
        assert_eq!(arrival.message_id, "alarm_keys-1-shop-example-log_42@shop.example");
        let bytes = index.read(arrival).unwrap();
        let message = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(message.subject(), Some("[cofferdam] budget web-ky-1: 12×"));
        assert_eq!(message.from().unwrap().first().unwrap().address(), Some("keys@shop.example"));
        assert_eq!(message.to().unwrap().first().unwrap().address(), Some(*reader));
        assert!(message.bcc().is_none() && message.attachment_count() == 0);
        let text = message.body_text(0).unwrap().replace("\r\n", "\n");
        for line in [
            "A caller asked for more than its budget.",
            "What to do first: Look at what that host is doing; freeze the caller if you can't tell.",
            "kind:    budget",
            "caller:  web-ky-1",
            "count:   12",
            "first:   2026-11-23T02:00:00.125Z",
            "last:    2026-11-23T02:00:59Z",
            "detail:  12,001 of 10,000 in an hour  Bcc: eve@mail.example  .  ",
            "number:  42",
            "from:    keys-1.shop.example/log",
        ] {
            assert!(text.lines().any(|found| found == line), "{line:?} is not in {text}");
        }
    }
}

#[tokio::test]
async fn an_alarm_without_a_caller_has_a_subject_too() {
    let (address, dir) = mail_sink().await;
    let alarm = keys_api::Alarm { caller: None, ..alarm("x") };
    open(address, &["ann@shop.example"]).deliver(&alarm, at(NOW)).await.unwrap();
    let index = SinkIndex::load(dir.path()).unwrap();
    let bytes = index.read_message(&Personal::new("ann@shop.example")).unwrap().unwrap();
    let message = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(message.subject(), Some("[cofferdam] budget: 12×"));
}

/// A relay that refuses some addresses, each with the given reply, and accepts mail for all others.
/// Returns its address and the recipients whose mail it accepted.
async fn relay(refuses: Arc<Mutex<Vec<(&'static str, &'static str)>>>) -> (SocketAddr, Taken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Taken::default();
    let into = taken.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let refuses = refuses.lock().unwrap().clone();
            session(BufReader::new(stream), &refuses, &into).await;
        }
    });
    (address, taken)
}

type Taken = Arc<Mutex<Vec<String>>>;

async fn session(mut stream: BufReader<TcpStream>, refuses: &[(&str, &str)], taken: &Taken) {
    let mut reply = "220 relay";
    let mut to = String::new();
    let mut in_text = false;
    loop {
        if !reply.is_empty() {
            stream.write_all(format!("{reply}\r\n").as_bytes()).await.unwrap();
        }
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap() == 0 {
            return;
        }
        let line = line.trim_end();
        reply = match line {
            "." if in_text => {
                in_text = false;
                taken.lock().unwrap().push(std::mem::take(&mut to));
                "250 ok"
            }
            _ if in_text => "",
            "DATA" => {
                in_text = true;
                "354 go on"
            }
            "QUIT" => "221 bye",
            _ => match line.strip_prefix("RCPT TO:") {
                None => "250 ok",
                Some(address) => {
                    to = address.trim_matches(['<', '>']).to_owned();
                    refuses.iter().find(|(who, _)| *who == to).map_or("250 ok", |(_, no)| no)
                }
            },
        };
    }
}

#[tokio::test]
async fn a_reader_who_is_refused_does_not_hold_up_the_others() {
    let refuses = Arc::new(Mutex::new(vec![("ann@shop.example", "550 no such user")]));
    let (address, taken) = relay(refuses).await;
    let readers = ["ann@shop.example", "bob@shop.example"];
    open(address, &readers).deliver(&alarm("x"), at(NOW)).await.unwrap();
    assert_eq!(*taken.lock().unwrap(), ["bob@shop.example"]);

    let error = open(address, &readers[..1]).deliver(&alarm("x"), at(NOW)).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, DeliveryError::Mail { .. }) && text.contains("550"), "{text}");
    assert!(!text.contains("ann"), "{text}");
}

#[tokio::test]
async fn a_repeat_goes_only_to_readers_who_were_not_reached() {
    let refuses = Arc::new(Mutex::new(vec![("ann@shop.example", "451 later")]));
    let (address, taken) = relay(refuses.clone()).await;
    let sink = open(address, &["ann@shop.example", "bob@shop.example"]);
    for _ in 0..3 {
        sink.deliver(&alarm("x"), at(NOW)).await.unwrap_err();
    }
    refuses.lock().unwrap().clear();
    sink.deliver(&alarm("x"), at(NOW)).await.unwrap();
    assert_eq!(*taken.lock().unwrap(), ["bob@shop.example", "ann@shop.example"]);

    let next = keys_api::Alarm { seq: 43, ..alarm("x") };
    sink.deliver(&next, at(NOW)).await.unwrap();
    assert_eq!(taken.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_relay_that_does_not_run_is_named() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = open(address, &["ann@shop.example"]).deliver(&alarm("x"), at(NOW)).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("pager") && error.contains(&address.to_string()), "{error}");
}

#[test]
fn a_bad_address_is_refused_at_the_start_and_not_quoted() {
    for (relay, recipients, word) in [
        ("relay", &["ann@shop.example"][..], "HOST:PORT"),
        ("relay:0", &["ann@shop.example"], "HOST:PORT"),
        ("relay:25", &[], "recipients"),
        ("relay:25", &["bob@shop.example", "ann"], "recipient's address"),
        ("relay:25", &["ann@shop.example>\r\nRCPT TO:<eve@mail.example"], "recipient's address"),
    ] {
        let cause = fault(&config(relay, recipients));
        assert!(cause.contains(word) && !cause.contains("ann"), "{cause}");
    }
    let mut config = config("relay:25", &["ann@shop.example"]);
    if let SinkConfig::Mail { from, .. } = &mut config {
        "keys@shop.example\r\nBcc: eve@mail.example".clone_into(from);
    }
    assert!(fault(&config).contains("sender's address"));
}

proptest! {
    #[test]
    fn no_detail_becomes_a_header(detail in details()) {
        let detail = one_line(&detail);
        let to = ["ann@shop.example".to_owned()];
        let origin = Origin::new(ORIGIN).unwrap();
        let mail = Mail::open("pager", origin, "relay:25", "keys@shop.example", &to).unwrap();
        let bytes = mail.message(&mailbox(&to[0]), &alarm(&detail), at(NOW)).unwrap();
        let message = MessageParser::default().parse(&bytes).unwrap();
        let names: Vec<_> = message.headers().iter().map(mail_parser::Header::name).collect();
        prop_assert_eq!(names, HEADERS);
        let text = message.body_text(0).unwrap();
        let line = format!("detail:  {detail}");
        prop_assert!(text.lines().any(|found| found == line), "{:?} is not in {}", line, text);
        prop_assert_eq!(text.lines().filter(|line| line.starts_with("detail:")).count(), 1);
    }
}
