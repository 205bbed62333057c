//! Thousands of connections in each bad manner, all from the address of the good callers.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use cofferdam_core::{Call, Compartment};
use cofferdam_wire::{Answer, Body, CallError, Client, Listener, Peer, Problem, serve_anybody};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rustls::pki_types::ServerName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use testkit::{Authority, connector};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// More than any room has.
const MANY: usize = 2_000;
/// More than one caller's share, and few enough for as many handshakes.
const SOME: usize = 600;
/// An answer that no socket buffer takes in.
const LARGE: usize = 15 << 20;

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Measure {
    text: String,
}

impl Call for Measure {
    const PATH: &'static str = "/v1/texts/measure";
    type Answer = usize;
}

async fn measure(Body(call, encoding): Body<Measure>) -> Result<Answer<usize>, Problem> {
    Ok(Answer(call.text.len(), encoding))
}

struct Server {
    authority: Authority,
    address: SocketAddr,
    /// Lets one call of `/wait` return for each permit.
    permits: Arc<Semaphore>,
}

impl Server {
    async fn start() -> Self {
        // The test holds both ends of each connection.
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, hard.min(16_384), hard).unwrap();
        let authority = Authority::new();
        let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let listener = listener.keep_room_for(|caller| caller.as_str() == "operator-1");
        let (address, identity) = (listener.address(), authority.identity("keys"));
        let permits = Arc::new(Semaphore::new(0));
        let large = Bytes::from(vec![b'x'; LARGE]);
        let waiting = permits.clone();
        let router = Router::new()
            .route(Measure::PATH, post(measure))
            .route("/large", get(move || async move { large.clone() }))
            .route("/wait", get(move || wait(waiting.clone())));
        tokio::spawn(async move {
            listener.serve(&identity, router, std::future::pending()).await;
        });
        Self { authority, address, permits }
    }

    /// Makes a call over a new connection.
    async fn call(&self, caller: &str) -> Result<usize, CallError> {
        let client = self.client(caller);
        client.call(&Measure { text: "four".to_owned() }).await
    }

    fn client(&self, caller: &str) -> Client {
        let base = format!("https://localhost:{}", self.address.port());
        self.authority.client(Compartment::Keys, caller, &base)
    }

    async fn answers(&self, callers: &[&str]) {
        for caller in callers {
            assert_eq!(self.call(caller).await.unwrap(), 4, "{caller}");
        }
    }

    /// A connection of `caller` after its handshake, to misuse.
    async fn connect(&self, connector: &TlsConnector) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
    }

    fn connector(&self, caller: &str) -> TlsConnector {
        connector(&self.authority.files(caller))
    }
}

async fn wait(permits: Arc<Semaphore>) -> &'static str {
    permits.acquire().await.unwrap().forget();
    "done"
}

/// A request for `/large` and its like.
fn ask(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")
}

/// A call whose body never ends.
fn half_call(length: usize) -> String {
    let path = Measure::PATH;
    let head = "host: localhost\r\ncontent-type: application/json";
    format!("POST {path} HTTP/1.1\r\n{head}\r\ncontent-length: {length}\r\n\r\n{{\"text\": \"")
}

/// Whether the other side closed a connection. What it sent before is read and dropped.
async fn is_closed(stream: &mut (impl AsyncRead + Unpin)) -> bool {
    let mut sink = vec![0; 1 << 16];
    loop {
        let read = stream.read(&mut sink);
        match tokio::time::timeout(std::time::Duration::from_millis(20), read).await {
            Err(_) => return false,
            Ok(Ok(0) | Err(_)) => return true,
            Ok(Ok(_)) => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_say_nothing_or_half_a_greeting_keep_nobody_out() {
    let server = Server::start().await;
    let steady = server.client("web-ky-2");
    // The first bytes of a TLS record that announces more than comes.
    for said in [&b""[..], &[22, 3, 1, 2, 0, 1][..]] {
        let mut crowd = Vec::new();
        for number in 0..MANY {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            // The server may have closed it already.
            let _ = stream.write_all(said).await;
            crowd.push(stream);
            if number % 500 == 499 {
                assert_eq!(steady.call(&Measure { text: "four".to_owned() }).await.unwrap(), 4);
                server.answers(&["web-ky-1", "operator-1"]).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_idles_or_sends_halves_keeps_nobody_out_not_even_itself() {
    let server = Server::start().await;
    let connector = server.connector("web-ky-1");
    // Few connections with a large answer each are more than a share of the memory.
    for (said, count) in [
        (String::new(), SOME),
        ("POST /v1/te".to_owned(), SOME),
        (half_call(1_000), SOME),
        (ask("/large"), SOME / 10),
    ] {
        let mut crowd = Vec::new();
        for number in 0..count {
            let mut stream = server.connect(&connector).await;
            stream.write_all(said.as_bytes()).await.unwrap();
            crowd.push(stream);
            if number % (count / 3) == 0 {
                server.answers(&["web-ky-2", "operator-1", "web-ky-1"]).await;
            }
        }
        server.answers(&["web-ky-1"]).await;
        for stream in &mut crowd[..count / 2] {
            assert!(is_closed(stream).await, "the oldest went first: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn room_is_kept_for_staff_when_callers_have_every_other_place_busy() {
    let server = Server::start().await;
    let mut crowd = Vec::new();
    for caller in ["web-ky-1", "web-ky-2", "web-ky-3", "web-ky-4"] {
        let connector = server.connector(caller);
        for _ in 0..256 {
            let mut stream = server.connect(&connector).await;
            stream.write_all(ask("/wait").as_bytes()).await.unwrap();
            crowd.push(stream);
        }
    }
    server.answers(&["operator-1"]).await;
    // No call that is being answered is cut off for another one.
    server.permits.add_permits(crowd.len());
    for stream in &mut crowd {
        let mut start = [0; 15];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(&start, b"HTTP/1.1 200 OK");
    }
    server.answers(&["web-ky-5", "operator-1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bodies_of_one_caller_are_bounded_in_sum() {
    let server = Server::start().await;
    let connector = server.connector("web-ky-1");
    let mut crowd = Vec::new();
    for _ in 0..10 {
        let mut stream = server.connect(&connector).await;
        stream.write_all(half_call(LARGE + 1_000).as_bytes()).await.unwrap();
        stream.write_all(&vec![b'x'; LARGE]).await.unwrap();
        stream.flush().await.unwrap();
        crowd.push(stream);
    }
    server.answers(&["web-ky-1", "web-ky-2", "operator-1"]).await;
    let mut open = 0;
    for stream in &mut crowd {
        open += usize::from(!is_closed(stream).await);
    }
    assert!(open <= 4, "{open} halves of 15 MiB are held");
}

async fn public(proxies: Vec<IpAddr>) -> SocketAddr {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let router = Router::new().route("/", get(|Peer(peer): Peer| async move { peer.to_string() }));
    tokio::spawn(serve_anybody(socket, proxies, router));
    address
}

/// Reads the page, in the name of a visitor.
async fn read_page(address: SocketAddr, visitor: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("host: x\r\nconnection: close\r\nx-forwarded-for: {visitor}");
    stream.write_all(format!("GET / HTTP/1.1\r\n{head}\r\n\r\n").as_bytes()).await.unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).await.unwrap();
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_strangers_delay_no_public_page() {
    for (proxies, named) in [(vec![], "127.0.0.1"), (vec![Ipv4Addr::LOCALHOST.into()], "192.0.2.7")]
    {
        let address = public(proxies).await;
        let mut crowd = Vec::new();
        for number in 0..MANY {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nho").await;
            crowd.push(stream);
            if number % 500 == 499 {
                let page = read_page(address, "192.0.2.7").await;
                assert!(page.starts_with("HTTP/1.1 200") && page.ends_with(named), "{page}");
            }
        }
        assert!(is_closed(&mut crowd[0]).await, "the oldest went first");
    }
}

#[tokio::test]
async fn a_connection_that_asks_for_pages_without_end_waits() {
    let address = public(vec![]).await;
    let mut busy = TcpStream::connect(address).await.unwrap();
    let mut answers = 0;
    let asked = async {
        loop {
            busy.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            let mut answer = [0; 4_096];
            assert!(busy.read(&mut answer).await.unwrap() > 0);
            answers += 1;
        }
    };
    let second = std::time::Duration::from_secs(1);
    assert!(tokio::time::timeout(second, asked).await.is_err());
    // Twenty at once, and four a second, on a machine of any speed.
    assert!((1..=30).contains(&answers), "{answers}");
    let page = read_page(address, "192.0.2.7").await;
    assert!(page.starts_with("HTTP/1.1 200"), "another connection does not wait: {page}");
}
