//! The SMTP client against scripted relays.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::future::Future;

use cofferdam_core::Personal;
use cofferdam_mail::{
    Accepted, Connection, Envelope, Mailer, OpenError, Outcome, Relay, SendError,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const TEXT: &[u8] = b"Subject: x\r\n\r\n.dot\r\n";

/// The relay's end of a connection.
struct RelayEnd(BufReader<TcpStream>);

impl RelayEnd {
    async fn say(&mut self, lines: &str) {
        self.0.write_all(lines.as_bytes()).await.unwrap();
    }

    async fn hear(&mut self, expected: &str) {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        assert_eq!(line.trim_end(), expected);
    }

    /// Greets the client and lists `extensions`.
    async fn greet(&mut self, extensions: &str) {
        self.say("220 relay ESMTP\r\n").await;
        self.hear("EHLO shop").await;
        self.say(&format!("250-relay\r\n{extensions}250 SIZE 1000\r\n")).await;
    }

    /// Receives envelope and text of one message without replying to the final dot.
    async fn receive_message(&mut self) {
        self.hear("MAIL FROM:<shop@shop.example>").await;
        self.hear("RCPT TO:<ada@mail.example>").await;
        self.hear("DATA").await;
        self.say("250 ok\r\n250 ok\r\n354 go on\r\n").await;
        for line in ["Subject: x", "", "..dot", "."] {
            self.hear(line).await;
        }
    }
}

/// Starts a relay that runs `script` on its first connection, and returns its address.
async fn start_relay<F, R>(script: F) -> (String, JoinHandle<()>)
where
    F: FnOnce(RelayEnd) -> R + Send + 'static,
    R: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        script(RelayEnd(BufReader::new(stream))).await;
    });
    (address, task)
}

fn envelope_to(address: &str) -> Envelope {
    Envelope { from: "shop@shop.example".to_owned(), to: Personal::new(address) }
}

fn to_ada() -> Envelope {
    envelope_to("ada@mail.example")
}

fn accepted(id: &str) -> Outcome {
    let reply = format!("2.0.0 Ok: queued as {id}");
    Outcome::Accepted(Accepted { queue_id: Some(id.to_owned()), reply })
}

const PIPELINING: &str = "250-PIPELINING\r\n";

#[tokio::test]
async fn with_pipelining_the_commands_are_sent_together() {
    let (address, task) = start_relay(|mut relay| async move {
        relay.greet(PIPELINING).await;
        for id in ["A1", "A2"] {
            // The script reads all three commands before it replies to the first.
            relay.receive_message().await;
            relay.say(&format!("250 2.0.0 Ok: queued as {id}\r\n")).await;
        }
        relay.hear("QUIT").await;
        relay.say("221 bye\r\n").await;
    })
    .await;
    let mut connection = Connection::open(&Relay::plain(&*address), "shop").await.unwrap();
    assert_eq!(connection.send(&to_ada(), TEXT).await, accepted("A1"));
    assert_eq!(connection.send(&to_ada(), TEXT).await, accepted("A2"));
    connection.close().await;
    task.await.unwrap();
}

#[tokio::test]
async fn without_pipelining_each_command_waits_for_the_reply() {
    let (address, task) = start_relay(|mut relay| async move {
        relay.greet("").await;
        for (line, reply) in [
            ("MAIL FROM:<shop@shop.example>", "250 ok"),
            ("RCPT TO:<ada@mail.example>", "250 ok"),
            ("DATA", "354 go on"),
        ] {
            relay.hear(line).await;
            assert!(relay.0.buffer().is_empty(), "a command was sent before the reply");
            relay.say(&format!("{reply}\r\n")).await;
        }
        for line in ["Subject: x", "", "..dot", "."] {
            relay.hear(line).await;
        }
        relay.say("250 ok\r\n").await;
        relay.hear("QUIT").await;
    })
    .await;
    let mailer = Mailer::new(Relay::plain(address), "shop".to_owned());
    assert_eq!(mailer.send(&to_ada(), TEXT).await.unwrap().receipt(), "ok");
    task.await.unwrap();
}

#[tokio::test]
async fn a_refused_recipient_leaves_the_connection_usable() {
    let (address, task) = start_relay(|mut relay| async move {
        relay.greet(PIPELINING).await;
        relay.hear("MAIL FROM:<shop@shop.example>").await;
        relay.hear("RCPT TO:<bob@mail.example>").await;
        relay.hear("DATA").await;
        relay.say("250 ok\r\n550-5.1.1 <bob@mail.example>:\r\n550 5.1.1 unknown\r\n").await;
        relay.say("554 5.5.1 no valid recipients\r\n").await;
        relay.hear("RSET").await;
        relay.say("250 ok\r\n").await;
        relay.receive_message().await;
        relay.say("250 2.0.0 Ok: queued as B2\r\n").await;
    })
    .await;
    let mut connection = Connection::open(&Relay::plain(&*address), "shop").await.unwrap();
    let refused = connection.send(&envelope_to("bob@mail.example"), TEXT).await;
    let reply = "5.1.1 … unknown".to_owned();
    assert_eq!(refused, Outcome::Refused { code: 550, reply });
    assert_eq!(connection.send(&to_ada(), TEXT).await, accepted("B2"));
    task.await.unwrap();
}

#[tokio::test]
async fn a_relay_that_wants_a_text_without_a_recipient_gets_an_empty_one() {
    let (address, task) = start_relay(|mut relay| async move {
        relay.greet(PIPELINING).await;
        relay.hear("MAIL FROM:<shop@shop.example>").await;
        relay.hear("RCPT TO:<ada@mail.example>").await;
        relay.hear("DATA").await;
        relay.say("250 ok\r\n451 4.7.1 greylisted\r\n354 go on\r\n").await;
        relay.hear(".").await;
        relay.say("554 no valid recipients\r\n").await;
    })
    .await;
    let mut connection = Connection::open(&Relay::plain(&*address), "shop").await.unwrap();
    let deferred = connection.send(&to_ada(), TEXT).await;
    let reply = "4.7.1 greylisted".to_owned();
    assert_eq!(deferred, Outcome::Deferred { code: Some(451), reply });
    assert!(connection.is_open());
    task.await.unwrap();
}

#[tokio::test]
async fn a_connection_lost_before_the_final_dot_defers_the_message() {
    let (address, task) = start_relay(|mut relay| async move {
        relay.greet(PIPELINING).await;
        relay.hear("MAIL FROM:<shop@shop.example>").await;
        relay.say("250 ok\r\n").await;
        // Closing the socket with unread commands resets the client's connection.
    })
    .await;
    let mut connection = Connection::open(&Relay::plain(&*address), "shop").await.unwrap();
    let lost = connection.send(&to_ada(), TEXT).await;
    assert!(matches!(lost, Outcome::Deferred { code: None, .. }), "{lost:?}");
    assert!(!connection.is_open());
    let second = connection.send(&to_ada(), TEXT).await;
    assert!(matches!(second, Outcome::Deferred { code: None, .. }), "{second:?}");
    task.await.unwrap();
}

#[tokio::test]
async fn a_connection_lost_within_a_long_text_defers_the_message() {
    let (address, task) = start_relay(|mut relay| async move {
        relay.greet(PIPELINING).await;
        relay.hear("MAIL FROM:<shop@shop.example>").await;
        relay.hear("RCPT TO:<ada@mail.example>").await;
        relay.hear("DATA").await;
        relay.say("250 ok\r\n250 ok\r\n354 go on\r\n").await;
        relay.0.read_exact(&mut [0; 1000]).await.unwrap();
    })
    .await;
    let mut connection = Connection::open(&Relay::plain(&*address), "shop").await.unwrap();
    // The text exceeds the buffers of both ends, so that the final dot can't have left.
    let long = b"0123456789abcde\n".repeat(2 << 20);
    let lost = connection.send(&to_ada(), &long).await;
    assert!(matches!(lost, Outcome::Deferred { code: None, .. }), "{lost:?}");
    task.await.unwrap();
}

#[tokio::test]
async fn a_connection_lost_after_the_final_dot_leaves_the_message_in_doubt() {
    let (address, task) = start_relay(|mut relay| async move {
        relay.greet(PIPELINING).await;
        relay.receive_message().await;
    })
    .await;
    let mailer = Mailer::new(Relay::plain(address), "shop".to_owned());
    let lost = mailer.send(&to_ada(), TEXT).await;
    assert!(matches!(lost, Err(SendError::InDoubt { .. })), "{lost:?}");
    task.await.unwrap();
}

#[tokio::test]
async fn a_relay_that_never_replies_to_the_final_dot_leaves_the_message_in_doubt() {
    let (address, task) = start_relay(|mut relay| async move {
        relay.greet(PIPELINING).await;
        relay.receive_message().await;
        // Paused time jumps to the next timeout as soon as every task waits.
        tokio::time::pause();
        std::future::pending::<()>().await;
    })
    .await;
    let mut connection = Connection::open(&Relay::plain(&*address), "shop").await.unwrap();
    let silence = connection.send(&to_ada(), TEXT).await;
    assert_eq!(silence, Outcome::InDoubt { cause: "no answer within 600 s".to_owned() });
    task.abort();
}

#[tokio::test]
async fn the_reply_to_the_final_dot_decides() {
    let (address, task) = start_relay(|mut relay| async move {
        relay.greet(PIPELINING).await;
        for reply in ["452 4.3.1 full", "554 5.7.1 spam", "421 4.3.2 going down"] {
            relay.receive_message().await;
            relay.say(&format!("{reply}\r\n")).await;
        }
    })
    .await;
    let mut connection = Connection::open(&Relay::plain(&*address), "shop").await.unwrap();
    let full = Outcome::Deferred { code: Some(452), reply: "4.3.1 full".to_owned() };
    assert_eq!(connection.send(&to_ada(), TEXT).await, full);
    let spam = Outcome::Refused { code: 554, reply: "5.7.1 spam".to_owned() };
    assert_eq!(connection.send(&to_ada(), TEXT).await, spam);
    let down = Outcome::Deferred { code: Some(421), reply: "4.3.2 going down".to_owned() };
    assert_eq!(connection.send(&to_ada(), TEXT).await, down);
    assert!(!connection.is_open());
    task.await.unwrap();
}

/// A reply without an end would fill the memory.
#[tokio::test]
async fn a_reply_without_an_end_closes_the_connection() {
    for line in ["x", "250-x\r\n"] {
        let (address, task) = start_relay(move |mut relay| async move {
            let text = line.repeat(10_000);
            // The loop ends when the client hangs up.
            while relay.0.write_all(text.as_bytes()).await.is_ok() {}
        })
        .await;
        let error = Connection::open(&Relay::plain(&*address), "shop").await.unwrap_err();
        assert!(matches!(&error, OpenError::Unreachable { .. }), "{error}");
        task.await.unwrap();
    }
}

#[tokio::test]
async fn an_address_that_would_be_a_command_is_refused() {
    let (address, task) = start_relay(|mut relay| async move {
        relay.greet(PIPELINING).await;
        relay.hear("QUIT").await;
    })
    .await;
    let mut connection = Connection::open(&Relay::plain(&*address), "shop").await.unwrap();
    for bad in ["ada", "a@x>\r\nRCPT TO:<b@x", "jörg@mail.example", "a b@x"] {
        let refused = connection.send(&envelope_to(bad), TEXT).await;
        assert!(matches!(refused, Outcome::Refused { code: 553, .. }), "{refused:?}");
    }
    let refused = connection.send(&to_ada(), "Grüße".as_bytes()).await;
    assert!(matches!(refused, Outcome::Refused { code: 554, .. }), "{refused:?}");
    connection.close().await;
    task.await.unwrap();
}

#[tokio::test]
async fn a_text_with_8_bit_bytes_is_announced_as_such() {
    let (address, task) = start_relay(|mut relay| async move {
        relay.greet("250-8BITMIME\r\n").await;
        relay.hear("MAIL FROM:<shop@shop.example> BODY=8BITMIME").await;
        relay.say("421 later\r\n").await;
    })
    .await;
    let mut connection = Connection::open(&Relay::plain(&*address), "shop").await.unwrap();
    let outcome = connection.send(&to_ada(), "Grüße".as_bytes()).await;
    assert_eq!(outcome, Outcome::Deferred { code: Some(421), reply: "later".to_owned() });
    task.await.unwrap();
}

#[tokio::test]
async fn an_open_error_names_the_relay_and_the_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = listener.local_addr().unwrap().to_string();
    drop(listener);
    let error = Connection::open(&Relay::plain(&*nowhere), "shop").await.unwrap_err();
    assert!(matches!(&error, OpenError::Unreachable { relay, .. } if *relay == nowhere));

    let (address, _task) =
        start_relay(|mut relay| async move { relay.say("554 no service here\r\n").await }).await;
    let error = Connection::open(&Relay::plain(&*address), "shop").await.unwrap_err();
    assert!(matches!(error, OpenError::TurnedAway { code: 554, .. }), "{error}");
}
