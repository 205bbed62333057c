//! The intake over real sockets, driven line by line.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cofferdam_core::Personal;
use cofferdam_mail::{
    Connection, Envelope, MAX_RETURNED, Outcome, Relay, Returned, TakeError, Taker, read_returned,
    serve_intake,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

/// A taker that knows addresses at `in.example`. It fails for `full@…`, waits for a permit for
/// `slow@…`, and keeps the messages for all others.
#[derive(Default)]
struct Desk {
    kept: Mutex<Vec<(String, Vec<u8>)>>,
    slow_permits: Option<Arc<Semaphore>>,
}

impl Taker for Desk {
    fn knows(&self, recipient: &str) -> bool {
        recipient.ends_with("@in.example")
    }

    async fn take(&self, recipient: &str, message: &[u8]) -> Result<(), TakeError> {
        if recipient.starts_with("slow@") {
            self.slow_permits.as_ref().unwrap().acquire().await.unwrap().forget();
        }
        if recipient.starts_with("full@") {
            return Err(TakeError::keep("no room"));
        }
        self.kept.lock().unwrap().push((recipient.to_owned(), message.to_vec()));
        Ok(())
    }
}

struct Intake {
    desk: Arc<Desk>,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Intake {
    async fn start(desk: Desk) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Arc::new(desk);
        let (stop, stopped) = oneshot::channel();
        let taker = desk.clone();
        let task = tokio::spawn(async move {
            serve_intake(listener, taker, async { drop(stopped.await) }).await;
        });
        Self { desk, address, stop, task }
    }

    async fn new() -> Self {
        Self::start(Desk::default()).await
    }

    async fn client(&self) -> Client {
        let mut client = Client(BufReader::new(TcpStream::connect(self.address).await.unwrap()));
        client.hears("220").await;
        client
    }

    fn kept(&self) -> Vec<(String, String)> {
        let kept = self.desk.kept.lock().unwrap().clone();
        kept.into_iter().map(|(to, text)| (to, String::from_utf8(text).unwrap())).collect()
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn says(&mut self, lines: &str) {
        self.0.write_all(lines.replace('\n', "\r\n").as_bytes()).await.unwrap();
    }

    /// Reads one reply, asserts that every line begins with `start`, and returns the lines.
    async fn hears(&mut self, start: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.unwrap();
            assert!(line.starts_with(start), "{line:?} does not begin with {start}");
            let last = line.as_bytes().get(3) != Some(&b'-');
            lines.push(line.trim_end().to_owned());
            if last {
                return lines;
            }
        }
    }

    /// Sends each line and asserts the beginning of its reply.
    async fn exchange(&mut self, steps: &[(&str, &str)]) {
        for (line, reply) in steps {
            self.says(&format!("{line}\n")).await;
            self.hears(reply).await;
        }
    }

    async fn hears_the_end(&mut self) {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).await.unwrap();
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    }
}

#[tokio::test]
async fn over_smtp_mail_to_known_addresses_is_kept_and_all_other_mail_refused() {
    let intake = Intake::new().await;
    let mut client = intake.client().await;
    client.says("EHLO mx\n").await;
    let offer = client.hears("250").await;
    for extension in ["PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 1048576"] {
        assert!(offer.iter().any(|line| &line[4..] == extension), "{extension} in {offer:?}");
    }
    let steps = [
        ("RCPT TO:<b1@in.example>", "503"),
        ("MAIL FROM:<> SIZE=100 BODY=8BITMIME", "250"),
        // The intake is no relay.
        ("RCPT TO:<ada@mail.example>", "550 5.1.1"),
        ("RCPT TO:<@in.example:ada@mail.example>", "550 5.1.1"),
        ("RCPT TO:<ada%mail.example@other.example>", "550 5.1.1"),
        ("DATA", "503"),
        ("RCPT TO:<b1@in.example>", "250"),
        ("RCPT TO:<b2@in.example>", "250"),
        ("DATA", "354"),
        ("Subject: x\n\n..\n...two\n.", "250 2.0.0"),
    ];
    client.exchange(&steps).await;
    // The next message comes from a person, with pipelined commands.
    client
        .says("MAIL FROM:<pia@mail.example>\nRCPT TO:<no@x>\nRCPT TO:<b3@in.example>\nDATA\n")
        .await;
    for reply in ["250", "550", "250", "354"] {
        client.hears(reply).await;
    }
    client.says("hello\n.\nQUIT\n").await;
    client.hears("250").await;
    client.hears("221").await;
    client.hears_the_end().await;
    let bounce = "Return-Path: <>\r\nSubject: x\r\n\r\n.\r\n..two\r\n".to_owned();
    let letter = "Return-Path: <pia@mail.example>\r\nhello\r\n".to_owned();
    let to = |n: u8| format!("b{n}@in.example");
    assert_eq!(intake.kept(), [(to(1), bounce.clone()), (to(2), bounce), (to(3), letter)]);
}

#[tokio::test]
async fn over_lmtp_each_recipient_has_its_own_reply() {
    let intake = Intake::new().await;
    let mut client = intake.client().await;
    client.says("LHLO mx\n").await;
    client.hears("250").await;
    let steps = [
        ("MAIL FROM:<>", "250"),
        ("RCPT TO:<no@mail.example>", "550 5.1.1"),
        ("DATA", "503"),
        ("RCPT TO:<full@in.example>", "250"),
        ("RCPT TO:<no@mail.example>", "550 5.1.1"),
        ("RCPT TO:<b1@in.example>", "250"),
        ("DATA", "354"),
        ("x\n.", "451"),
    ];
    client.exchange(&steps).await;
    client.hears("250").await;
    client.exchange(&[("NOOP", "250"), ("RSET", "250")]).await;
    assert_eq!(
        intake.kept(),
        [("b1@in.example".to_owned(), "Return-Path: <>\r\nx\r\n".to_owned())]
    );

    // Over SMTP a failure for one recipient is the reply for all.
    client.exchange(&[("EHLO mx", "250"), ("MAIL FROM:<>", "250")]).await;
    let steps = [
        ("RCPT TO:<b1@in.example>", "250"),
        ("RCPT TO:<full@in.example>", "250"),
        ("DATA", "354"),
        ("x\n.", "451"),
        ("QUIT", "221"),
    ];
    client.exchange(&steps).await;
    client.hears_the_end().await;
}

#[tokio::test]
async fn a_large_message_a_surplus_recipient_and_a_long_line_are_refused() {
    let intake = Intake::new().await;
    let mut client = intake.client().await;
    let announced = format!("MAIL FROM:<> SIZE={}", MAX_RETURNED + 1);
    client.exchange(&[("LHLO mx", "250"), (&announced, "552"), ("MAIL FROM:<> X=1", "555")]).await;
    let steps = [
        ("MAIL FROM:<>", "250"),
        ("RCPT TO:<b1@in.example>", "250"),
        ("RCPT TO:<b2@in.example>", "250"),
        ("DATA", "354"),
    ];
    client.exchange(&steps).await;
    client.says(&"0123456789abcde\n".repeat(MAX_RETURNED / 16)).await;
    client.says("x\n.\n").await;
    client.hears("552").await;
    client.hears("552").await;
    assert!(intake.kept().is_empty());

    client.exchange(&[("MAIL FROM:<>", "250")]).await;
    for n in 0..100 {
        client.exchange(&[(&format!("RCPT TO:<b{n}@in.example>"), "250")]).await;
    }
    client.exchange(&[("RCPT TO:<b100@in.example>", "452"), ("DATA", "354")]).await;
    client.says(".\n").await;
    for _ in 0..100 {
        client.hears("250").await;
    }
    assert_eq!(intake.kept().len(), 100);
    client.says(&"A".repeat(3000)).await;
    client.hears("500").await;
}

#[tokio::test]
async fn clients_that_idle_or_send_halves_keep_no_mail_out() {
    let halves = [
        &[][..],
        &["LHLO mx\n"],
        &["LHLO mx\n", "MAIL FR"],
        &["LHLO mx\n", "MAIL FROM:<>\n", "RCPT TO:<b@in.example>\n", "DATA\n", "half a text"],
    ];
    for said in halves {
        let intake = Intake::new().await;
        let mut crowd = Vec::new();
        for number in 0..1_000 {
            let mut client = intake.client().await;
            client.says(&said.concat()).await;
            crowd.push(client);
            if number % 250 == 249 {
                let mut good = intake.client().await;
                good.exchange(&[("LHLO mx", "250"), ("MAIL FROM:<>", "250")]).await;
                good.exchange(&[("RCPT TO:<b@in.example>", "250"), ("DATA", "354")]).await;
                good.says("whole\n.\n").await;
                good.hears("250").await;
            }
        }
        assert_eq!(intake.kept().len(), 4);
        // The one that was silent longest was told why it had to go.
        let mut rest = String::new();
        crowd[0].0.read_to_string(&mut rest).await.unwrap();
        assert!(rest.contains("421 4.3.2"), "{rest}");
    }
}

#[tokio::test]
async fn texts_that_never_end_are_bounded_in_sum() {
    let intake = Intake::new().await;
    let mut crowd = Vec::new();
    let text = vec![b'x'; MAX_RETURNED - 1_000];
    for _ in 0..100 {
        let mut client = intake.client().await;
        client.exchange(&[("LHLO mx", "250"), ("MAIL FROM:<>", "250")]).await;
        client.exchange(&[("RCPT TO:<b@in.example>", "250"), ("DATA", "354")]).await;
        client.0.write_all(&text).await.unwrap();
        crowd.push(client);
    }
    let mut good = intake.client().await;
    good.exchange(&[("LHLO mx", "250"), ("MAIL FROM:<>", "250")]).await;
    good.exchange(&[("RCPT TO:<b@in.example>", "250"), ("DATA", "354")]).await;
    good.says("whole\n.\n").await;
    good.hears("250").await;
    let mut rest = String::new();
    crowd[0].0.read_to_string(&mut rest).await.unwrap();
    assert!(rest.starts_with("421 4.3.2"), "{rest}");
}

#[tokio::test]
async fn a_message_being_stored_is_answered_before_the_intake_stops() {
    let permits = Arc::new(Semaphore::new(0));
    let desk = Desk { slow_permits: Some(permits.clone()), ..Desk::default() };
    let intake = Intake::start(desk).await;
    let mut idle = intake.client().await;
    let mut client = intake.client().await;
    client.exchange(&[("LHLO mx", "250"), ("MAIL FROM:<>", "250")]).await;
    client.exchange(&[("RCPT TO:<slow@in.example>", "250"), ("DATA", "354")]).await;
    client.says("x\n.\n").await;
    // No message is confirmed before the taker has stored it.
    let early = tokio::time::timeout(Duration::from_millis(100), client.hears("250")).await;
    assert!(early.is_err());
    intake.stop.send(()).unwrap();
    idle.hears("421").await;
    idle.hears_the_end().await;
    assert!(!intake.task.is_finished());
    permits.add_permits(1);
    client.hears("250").await;
    client.hears("421").await;
    client.hears_the_end().await;
    intake.task.await.unwrap();
    assert_eq!(intake.desk.kept.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_bounce_arrives_and_is_parsed() {
    let intake = Intake::new().await;
    let bounce = include_str!("returned/qmail.eml").split_once('\n').unwrap().1;
    let to = "b+22.t5t5@in.example";
    let mut client =
        Connection::open(&Relay::plain(intake.address.to_string()), "mx").await.unwrap();
    for _ in 0..1000 {
        let envelope = Envelope { from: String::new(), to: Personal::new(to) };
        let outcome = client.send(&envelope, bounce.as_bytes()).await;
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }
    client.close().await;
    let kept = intake.kept();
    assert_eq!(kept.len(), 1000);
    assert!(kept.iter().all(|(recipient, _)| recipient == to));
    let report = read_returned(kept[0].1.as_bytes());
    assert!(matches!(report.what, Returned::Bounced { status, .. } if status == "5.1.1"));
    assert_eq!(report.original_message_id.as_deref(), Some("22.t5t5@shop.example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn postfix_delivers_over_lmtp_and_smtp() {
    let path = Path::new("/usr/sbin/smtp-source");
    assert!(path.exists(), "{} is missing: run ./test, or install postfix", path.display());
    let intake = Intake::new().await;
    for protocol in [&["-L"][..], &[]] {
        let sent = Command::new(path)
            .args(["-4", "-d", "-s", "4", "-m", "500", "-r", "2", "-l", "3000"])
            .args(["-f", "", "-t", "b@in.example"])
            .args(protocol)
            .arg(format!("inet:{}", intake.address))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .status()
            .await
            .unwrap();
        assert!(sent.success(), "{protocol:?}");
    }
    let kept = intake.kept();
    assert_eq!(kept.len(), 2_000);
    for (recipient, text) in &kept {
        assert!(recipient.ends_with("b@in.example"), "{recipient}");
        assert!(text.starts_with("Return-Path: <>\r\n") && text.len() >= 3_000, "{text}");
    }
}
