//! TLS to a relay: certificates are checked, and an untrusted relay gets neither login nor message.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::fs;
use std::sync::Arc;

use cofferdam_core::Personal;
use cofferdam_mail::{Connection, Envelope, OpenError, Outcome, Relay, RelayTls};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use testkit::Authority;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// The behaviour of a relay.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The relay starts TLS with the first byte.
    Implicit,
    /// The relay supports STARTTLS.
    StartTls,
    /// The relay does not support STARTTLS.
    Plain,
    /// An attacker on the network adds replies behind the one to STARTTLS (CVE-2021-38371).
    Injected,
}

/// Starts a relay with a certificate of `authority`. Returns its port and the lines that it
/// receives.
async fn start_relay(authority: &Authority, kind: Kind) -> (u16, mpsc::UnboundedReceiver<String>) {
    let files = authority.server_files("relay");
    let cert = CertificateDer::from_pem_slice(&fs::read(files.cert).unwrap()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(&fs::read(files.key).unwrap()).unwrap();
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, lines) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        serve(stream, acceptor, kind, heard).await;
    });
    (port, lines)
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    kind: Kind,
    heard: mpsc::UnboundedSender<String>,
) {
    if kind == Kind::Implicit {
        let Ok(stream) = acceptor.accept(stream).await else { return };
        talk(&mut BufReader::new(stream), false, true, &heard).await;
        return;
    }
    let mut stream = BufReader::new(stream);
    let offers = kind != Kind::Plain;
    if !talk(&mut stream, offers, true, &heard).await {
        return;
    }
    let injected: &[u8] = if kind == Kind::Injected { b"250-evil\r\n250 AUTH\r\n" } else { b"" };
    stream.write_all(&[b"220 go ahead\r\n", injected].concat()).await.unwrap();
    let Ok(stream) = acceptor.accept(stream.into_inner()).await else { return };
    talk(&mut BufReader::new(stream), false, false, &heard).await;
}

/// Replies until the client disconnects or sends STARTTLS. Returns whether TLS is to start.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    offers_tls: bool,
    greets: bool,
    heard: &mpsc::UnboundedSender<String>,
) -> bool {
    if greets {
        stream.write_all(b"220 relay\r\n").await.unwrap();
    }
    let (mut line, mut text) = (String::new(), false);
    while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
        let said = line.trim_end().to_owned();
        line.clear();
        let _ = heard.send(said.clone());
        let reply: &[u8] = match said.get(..4) {
            _ if text && said == "." => b"250 2.0.0 Ok: queued as T1\r\n",
            _ if text => continue,
            Some("EHLO") if offers_tls => b"250-relay\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n",
            Some("EHLO") => b"250-relay\r\n250 AUTH PLAIN\r\n",
            Some("STAR") if offers_tls => return true,
            Some("STAR") => b"502 no\r\n",
            Some("AUTH") if said == "AUTH PLAIN AHVzZXIAc2VjcmV0" => b"235 welcome\r\n",
            Some("AUTH") => b"535 no\r\n",
            Some("DATA") => b"354 go on\r\n",
            _ => b"250 ok\r\n",
        };
        text = said == "DATA";
        if stream.write_all(reply).await.is_err() {
            break;
        }
        let _ = stream.flush().await;
    }
    false
}

fn relay_at(port: u16, tls: RelayTls, authority: &Authority) -> Relay {
    let ca = fs::read(authority.server_files("relay").ca).unwrap();
    Relay::encrypted(&format!("localhost:{port}"), tls, &ca).unwrap()
}

fn login(relay: Relay, password: &str) -> Relay {
    relay.with_login(Personal::new("user"), Personal::new(password)).unwrap()
}

/// All lines that the relay has received so far.
fn received(lines: &mut mpsc::UnboundedReceiver<String>) -> Vec<String> {
    std::iter::from_fn(|| lines.try_recv().ok()).collect()
}

#[tokio::test]
async fn a_message_is_sent_over_both_kinds_of_tls_after_a_login() {
    for (kind, tls) in [(Kind::Implicit, RelayTls::Implicit), (Kind::StartTls, RelayTls::StartTls)]
    {
        let authority = Authority::new();
        let (port, mut lines) = start_relay(&authority, kind).await;
        let relay = login(relay_at(port, tls, &authority), "secret");
        let mut connection = Connection::open(&relay, "shop").await.unwrap();
        assert!(connection.is_encrypted());
        let envelope =
            Envelope { from: "a@shop.example".to_owned(), to: Personal::new("b@mail.example") };
        let sent = connection.send(&envelope, b"Subject: x\r\n\r\nx\r\n").await;
        assert!(matches!(sent, Outcome::Accepted(accepted) if accepted.receipt() == "T1"));
        connection.close().await;
        // Before TLS the client sends only the greeting.
        let said = received(&mut lines);
        let start = said.iter().position(|line| line == "STARTTLS").map_or(0, |at| at + 1);
        assert!(said[..start].iter().all(|line| line == "EHLO shop" || line == "STARTTLS"));
        assert_eq!(said[start], "EHLO shop", "extensions listed before TLS must not count");
    }
}

#[tokio::test]
async fn a_relay_without_tls_gets_neither_login_nor_message() {
    let authority = Authority::new();
    let (port, mut lines) = start_relay(&authority, Kind::Plain).await;
    let relay = login(relay_at(port, RelayTls::StartTls, &authority), "secret");
    let refused = Connection::open(&relay, "shop").await.err().unwrap();
    assert!(matches!(refused, OpenError::TurnedAway { code: 502, .. }), "{refused}");
    assert_eq!(received(&mut lines), ["EHLO shop", "STARTTLS"]);
}

#[tokio::test]
async fn a_certificate_of_another_authority_or_name_is_refused() {
    for tls in [RelayTls::StartTls, RelayTls::Implicit] {
        let kind = if tls == RelayTls::Implicit { Kind::Implicit } else { Kind::StartTls };
        let (ours, theirs) = (Authority::new(), Authority::new());
        let (port, mut lines) = start_relay(&theirs, kind).await;
        let refused = Connection::open(&relay_at(port, tls, &ours), "shop").await.err().unwrap();
        assert!(matches!(refused, OpenError::Unreachable { .. }), "{refused}");
        assert!(!received(&mut lines).iter().any(|line| line.starts_with("AUTH")));

        let (port, _lines) = start_relay(&ours, kind).await;
        let ca = fs::read(ours.server_files("relay").ca).unwrap();
        let by_address = Relay::encrypted(&format!("127.0.0.1:{port}"), tls, &ca).unwrap();
        let refused = Connection::open(&by_address, "shop").await.err().unwrap();
        assert!(matches!(refused, OpenError::Unreachable { .. }), "{refused}");
    }
}

#[tokio::test]
async fn replies_injected_before_tls_are_refused() {
    let authority = Authority::new();
    let (port, _lines) = start_relay(&authority, Kind::Injected).await;
    let relay = relay_at(port, RelayTls::StartTls, &authority);
    let refused = Connection::open(&relay, "shop").await.err().unwrap();
    assert!(matches!(refused, OpenError::Unreachable { .. }), "{refused}");
}

#[tokio::test]
async fn the_error_of_a_refused_login_does_not_show_the_password() {
    let authority = Authority::new();
    let (port, _lines) = start_relay(&authority, Kind::StartTls).await;
    let relay = login(relay_at(port, RelayTls::StartTls, &authority), "wrong");
    let Err(OpenError::TurnedAway { code, reply, .. }) = Connection::open(&relay, "shop").await
    else {
        panic!("let in");
    };
    assert_eq!((code, reply.contains("wrong")), (535, false));
    let plain = Relay::plain("localhost:25");
    assert!(plain.with_login(Personal::new("user"), Personal::new("secret")).is_err());
}
