//! The sink over real sockets: with our client, with Postfix's tools and with hostile clients.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use cofferdam_core::Personal;
use cofferdam_mail::sink::{self, SinkError, SinkIndex};
use cofferdam_mail::{Connection, Envelope, Outcome, Relay};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Sink {
    dir: TempDir,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), SinkError>>,
}

impl Sink {
    async fn start(dir: TempDir) -> Self {
        let listener = sink::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let path = dir.path().to_owned();
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            sink::serve(&path, listener, stopped).await
        });
        Self { dir, address, stop, task }
    }

    async fn new() -> Self {
        Self::start(tempfile::tempdir().unwrap()).await
    }

    async fn connect(&self) -> Connection {
        Connection::open(&Relay::plain(self.address.to_string()), "shop").await.unwrap()
    }

    fn index(&self) -> SinkIndex {
        SinkIndex::load(self.dir.path()).unwrap()
    }

    async fn stop(self) -> TempDir {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
        self.dir
    }

    /// Sends `bytes`, closes the sending direction and returns the whole reply.
    async fn send_raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let sent: io::Result<()> = stream.write_all(bytes).await;
        // The sink may have hung up already.
        drop(sent);
        drop(stream.shutdown().await);
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

fn envelope_to(address: &str) -> Envelope {
    Envelope { from: "shop@shop.example".to_owned(), to: Personal::new(address) }
}

fn message(number: u32) -> Vec<u8> {
    format!("Message-ID: <{number}@shop.example>\r\n\r\n.\r\n..{number}\r\n").into_bytes()
}

#[tokio::test]
async fn the_index_has_every_message_as_it_was_sent() {
    let sink = Sink::new().await;
    let mut connection = sink.connect().await;
    for number in 0..2_000 {
        let address = format!("Person{}@mail.example", number % 500);
        let outcome = connection.send(&envelope_to(&address), &message(number)).await;
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        // A message is in the index once the client has its 250.
        if number % 500 == 0 {
            assert_eq!(sink.index().arrivals().len(), number as usize + 1);
        }
    }
    connection.close().await;

    let index = sink.index();
    assert_eq!(index.counts().len(), 500);
    assert!(index.counts().values().all(|count| *count == 4));
    for (number, arrival) in (0..).zip(index.arrivals()) {
        assert_eq!(arrival.seq, u64::from(number) + 1);
        assert_eq!(arrival.message_id, format!("{number}@shop.example"));
        assert_eq!(index.read(arrival).unwrap(), message(number));
    }
    let newest = index.read_message(&Personal::new("Person7@mail.example")).unwrap();
    assert_eq!(newest, Some(message(1507)));
    assert_eq!(index.read_message(&Personal::new("nobody@mail.example")).unwrap(), None);
}

#[tokio::test]
async fn a_restarted_sink_appends_and_drops_an_incomplete_line() {
    let sink = Sink::new().await;
    sink.connect().await.send(&envelope_to("a@x.example"), &message(1)).await;
    let dir = sink.stop().await;
    // A sink that crashed while writing has left half a line.
    let path = dir.path().join("index.tsv");
    let whole = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{whole}2\tb@x.exam")).unwrap();
    assert_eq!(SinkIndex::load(dir.path()).unwrap().arrivals().len(), 1);

    let sink = Sink::start(dir).await;
    sink.connect().await.send(&envelope_to("a@x.example"), &message(2)).await;
    let index = sink.index();
    assert_eq!(index.arrivals().iter().map(|a| a.seq).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(index.read_message(&Personal::new("a@x.example")).unwrap(), Some(message(2)));
}

#[tokio::test]
async fn the_sink_refuses_any_address_but_loopback() {
    let everywhere = "0.0.0.0:0".parse().unwrap();
    assert!(matches!(sink::bind(everywhere).await, Err(SinkError::NotLoopback(_))));
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind(everywhere).await.unwrap();
    let served = sink::serve(dir.path(), listener, std::future::pending()).await;
    assert!(matches!(served, Err(SinkError::NotLoopback(_))));
}

#[tokio::test]
async fn hostile_input_gets_an_error_and_stores_no_message() {
    let sink = Sink::new().await;
    let binary: Vec<u8> =
        (0..200_000_u32).map(|n| (n.wrapping_mul(n) / 7).to_le_bytes()[0]).collect();
    for (sent, reply) in [
        (b"".as_slice(), ""),
        (b"MAIL FROM:<a@x>\r\n", "503"),
        (b"DATA\r\n", "503"),
        (b".\r\n", "500"),
        (b"EHLO x\r\nRCPT TO:<a@x>\r\n", "503"),
        (b"EHLO x\r\nMAIL FROM:<a@x>\r\nDATA\r\n", "503"),
        (b"EHLO \xff\xfe\r\n", "500"),
        (b"EHLO x\n", "500"),
        (b"NOOP\r\n\r\n\0\r\nQUIT\r\nNOOP\r\n", "221"),
        (&b"A".repeat(1_000_000), "500"),
        (&binary, ""),
    ] {
        let replied = sink.send_raw(sent).await;
        assert!(replied.contains(reply), "{replied}");
    }
    assert!(sink.index().arrivals().is_empty());

    // Binary data in one long line, without a header, is still a message.
    let mut text = b"EHLO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n".to_vec();
    text.extend(binary.iter().filter(|b| !matches!(b, b'\r' | b'\n' | b'.')));
    text.extend(b"\r\n.\r\nQUIT\r\n");
    let replied = sink.send_raw(&text).await;
    assert!(replied.contains("queued as 1"), "{replied}");
    assert!(sink.index().arrivals()[0].message_id == "-");
}

#[tokio::test]
async fn an_incomplete_message_is_not_stored_and_a_large_one_is_refused() {
    let sink = Sink::new().await;
    let begin = b"EHLO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n";
    let replied = sink.send_raw(&[begin.as_slice(), b"half a message\r\n."].concat()).await;
    assert!(replied.ends_with("<CRLF>.<CRLF>\r\n"), "{replied}");

    let mut connection = sink.connect().await;
    let large = b"0123456789abcde\n".repeat(sink::MAX_MESSAGE / 16 + 1);
    let refused = connection.send(&envelope_to("b@x"), &large).await;
    assert!(matches!(refused, Outcome::Refused { code: 552, .. }), "{refused:?}");
    let fine = connection.send(&envelope_to("b@x"), &message(1)).await;
    assert!(matches!(fine, Outcome::Accepted(_)), "{fine:?}");
    assert_eq!(sink.index().arrivals().len(), 1);
}

/// A program of Debian's postfix package.
fn postfix(name: &str) -> Command {
    let path = Path::new("/usr/sbin").join(name);
    assert!(path.exists(), "{} is missing: run ./test, or install postfix", path.display());
    let mut command = Command::new(path);
    command.kill_on_drop(true).stdin(Stdio::null());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn postfix_delivers_to_the_sink() {
    let sink = Sink::new().await;
    let started = Instant::now();
    let sent = postfix("smtp-source")
        .args(["-4", "-d", "-s", "10", "-m", "2000", "-l", "5000", "-N"])
        .args(["-f", "shop@shop.example", "-t", "ada@mail.example"])
        .arg(format!("inet:{}", sink.address))
        .status()
        .await
        .unwrap();
    assert!(sent.success());
    let index = sink.index();
    assert_eq!(index.arrivals().len(), 2_000, "in {:?}", started.elapsed());
    for arrival in index.arrivals() {
        assert!(index.read(arrival).unwrap().len() >= 5_000);
    }
}

#[tokio::test]
async fn postfix_receives_what_the_client_sends() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let mut relay = postfix("smtp-sink")
        .args(["-4", "-u", "root", "-d", "%M."])
        .current_dir(dir.path())
        .arg(format!("inet:127.0.0.1:{port}"))
        .arg("100")
        .spawn()
        .unwrap();
    let address = format!("127.0.0.1:{port}");
    let mut connection = loop {
        match Connection::open(&Relay::plain(&*address), "shop").await {
            Ok(connection) => break connection,
            Err(e) => assert!(relay.try_wait().unwrap().is_none(), "{e}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    for number in 0..20 {
        let outcome = connection.send(&envelope_to("ada@mail.example"), &message(number)).await;
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }
    connection.close().await;
    relay.kill().await.unwrap();
    let stored = std::fs::read_dir(dir.path()).unwrap().flatten();
    let stored = stored.map(|entry| std::fs::read_to_string(entry.path()).unwrap());
    let as_sent = stored.filter(|text| text.contains("\n.\n..")).count();
    assert_eq!(as_sent, 20);
}
