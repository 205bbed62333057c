//! Webhooks against a real web server. Another project's library checks the signatures.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cofferdam_core::{Clock, SystemClock};
use cofferdam_wire::write_secret;
use hyper::Response;
use hyper::body::Bytes;
use hyper::http::request::Parts;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::Authority;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::receiver::{Receiver, status};
use super::{ORIGIN, alarm, at, details, fault};
use crate::delivery::text::one_line;
use crate::delivery::{DeliveryError, Sink, SinkConfig};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// The place `pager` at `url`, with its secret in `dir`.
fn config(dir: &TempDir, url: &str, ca: Option<PathBuf>) -> SinkConfig {
    let secret_file = dir.path().join("secret");
    if !secret_file.exists() {
        write_secret(&secret_file, format!("{SECRET}\n").as_bytes()).unwrap();
    }
    SinkConfig::Webhook { name: "pager".to_owned(), url: url.to_owned(), secret_file, ca }
}

fn sink(url: &str, ca: Option<PathBuf>) -> Sink {
    Sink::open(&config(&tempfile::tempdir().unwrap(), url, ca), ORIGIN).unwrap()
}

fn plain(receiver: &Receiver) -> Sink {
    sink(&format!("http://127.0.0.1:{}/in?token=geheim", receiver.port), None)
}

fn verify(head: &Parts, body: &[u8]) -> Result<(), standardwebhooks::WebhookError> {
    standardwebhooks::Webhook::new(SECRET).unwrap().verify(body, &head.headers)
}

#[tokio::test]
async fn another_library_verifies_what_arrives() {
    let mut receiver = Receiver::start(status(204), None).await;
    let now = SystemClock.now();
    plain(&receiver).deliver(&alarm("12,001 of 10,000 in an hour"), now).await.unwrap();

    let (head, body) = receiver.next().unwrap();
    verify(&head, &body).unwrap();
    let altered = String::from_utf8(body.to_vec()).unwrap().replace("\"count\":12", "\"count\":1");
    assert!(verify(&head, altered.as_bytes()).is_err());
    assert_eq!((head.method.as_str(), head.uri.to_string().as_str()), ("POST", "/in?token=geheim"));
    assert_eq!(head.headers["content-type"], "application/json");
    assert_eq!(head.headers["webhook-id"], "alarm_keys-1-shop-example-log_42");
    assert_eq!(head.headers["webhook-timestamp"], now.as_second().to_string());
    assert_eq!(
        serde_json::from_slice::<Value>(&body).unwrap(),
        json!({
            "type": "alarm.budget",
            "timestamp": "2026-11-23T02:00:59Z",
            "data": {
                "seq": 42,
                "first": "2026-11-23T02:00:00.125Z",
                "last": "2026-11-23T02:00:59Z",
                "kind": "budget",
                "caller": "web-ky-1",
                "count": 12,
                "detail": "12,001 of 10,000 in an hour",
                "origin": "keys-1.shop.example/log",
            },
        })
    );
}

#[tokio::test]
async fn a_repeat_has_the_same_id_and_body_and_a_new_time() {
    let mut receiver = Receiver::start(status(500), None).await;
    let sink = plain(&receiver);
    for now in ["2026-11-23T02:01:00Z", "2026-11-23T02:02:00Z"] {
        sink.deliver(&alarm("x"), at(now)).await.unwrap_err();
    }
    let (first, again) = (receiver.next().unwrap(), receiver.next().unwrap());
    let header = |(head, _): &(Parts, Bytes), name| head.headers[name].clone();
    assert_eq!(header(&first, "webhook-id"), header(&again, "webhook-id"));
    assert_eq!(first.1, again.1);
    assert_ne!(header(&first, "webhook-timestamp"), header(&again, "webhook-timestamp"));
    assert_ne!(header(&first, "webhook-signature"), header(&again, "webhook-signature"));
}

#[tokio::test]
async fn nothing_but_2xx_counts_and_no_error_quotes_the_url() {
    for good in [200, 201, 202, 204, 299] {
        let receiver = Receiver::start(status(good), None).await;
        plain(&receiver).deliver(&alarm("x"), at("2026-11-23T02:01:00Z")).await.unwrap();
    }
    for bad in [300, 301, 304, 400, 401, 404, 410, 429, 500, 503] {
        let receiver = Receiver::start(status(bad), None).await;
        let error = plain(&receiver).deliver(&alarm("x"), at("2026-11-23T02:01:00Z")).await;
        let error = error.unwrap_err();
        assert!(matches!(error, DeliveryError::Refused { status, .. } if status == bad), "{error}");
        let text = error.to_string();
        assert!(text.contains("pager") && text.contains(&bad.to_string()), "{text}");
        assert!(!text.contains("geheim") && !format!("{error:?}").contains("geheim"), "{text}");
    }
}

#[tokio::test]
async fn a_redirect_is_named_and_not_followed() {
    let mut elsewhere = Receiver::start(status(200), None).await;
    let target = format!("http://127.0.0.1:{}/", elsewhere.port);
    for code in [301, 302, 303, 307, 308] {
        let target = target.clone();
        let answer = move || {
            let answer = Response::builder().status(code).header("location", &target);
            answer.body(http_body_util::Full::default()).unwrap()
        };
        let receiver = Receiver::start(Arc::new(answer), None).await;
        let error = plain(&receiver).deliver(&alarm("x"), at("2026-11-23T02:01:00Z")).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains(&code.to_string()) && error.contains("redirect"), "{error}");
    }
    assert!(elsewhere.next().is_none());
}

#[tokio::test]
async fn an_answer_without_end_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_buf(&mut Vec::new()).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n").await.unwrap();
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    });
    sink(&url, None).deliver(&alarm("x"), at("2026-11-23T02:01:00Z")).await.unwrap();
    // The server sends until the client hangs up.
    server.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn silence_is_an_error_after_fifteen_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let before = tokio::time::Instant::now();
    let error = sink(&url, None).deliver(&alarm("x"), at("2026-11-23T02:01:00Z")).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("no answer within 15 s"), "{error}");
    assert_eq!(before.elapsed().as_secs(), 15);
    drop(listener);
}

#[tokio::test]
async fn a_server_that_does_not_run_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let sink = sink(&format!("http://localhost:{port}/"), None);
    let error = sink.deliver(&alarm("x"), at("2026-11-23T02:01:00Z")).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, DeliveryError::Unreachable { .. }), "{text}");
    assert!(text.contains("pager") && text.contains("refused"), "{text}");
}

#[tokio::test]
async fn a_certificate_of_the_given_authority_is_trusted_and_no_other() {
    let authority = Authority::new();
    let files = authority.server_files("hooks");
    let mut receiver = Receiver::start(status(200), Some(&files)).await;
    let url = |host: &str| format!("https://{host}:{}/", receiver.port);
    let (right, wrong_name) = (url("localhost"), url("127.0.0.1"));
    let deliver = async |url: &str, ca: &Path| {
        sink(url, Some(ca.to_owned())).deliver(&alarm("x"), SystemClock.now()).await
    };

    // The other authority has the same name, and another key.
    let stranger = Authority::new();
    for (url, ca, word) in [
        (&right, &stranger.server_files("hooks").ca, "BadSignature"),
        (&wrong_name, &files.ca, "not valid for name"),
    ] {
        let error = deliver(url, ca).await.unwrap_err().to_string();
        assert!(error.contains("certificate") && error.contains(word), "{error}");
    }
    assert!(receiver.next().is_none());

    deliver(&right, &files.ca).await.unwrap();
    let (head, body) = receiver.next().unwrap();
    verify(&head, &body).unwrap();
}

#[tokio::test]
async fn an_authority_that_the_system_does_not_trust_is_refused() {
    let files = Authority::new();
    let mut receiver = Receiver::start(status(200), Some(&files.server_files("hooks"))).await;
    let sink = sink(&format!("https://localhost:{}/", receiver.port), None);
    let error = sink.deliver(&alarm("x"), SystemClock.now()).await.unwrap_err().to_string();
    assert!(error.contains("UnknownIssuer"), "{error}");
    assert!(receiver.next().is_none());
}

#[test]
fn a_url_is_https_or_stays_on_this_machine() {
    let dir = tempfile::tempdir().unwrap();
    for (url, port) in [
        ("https://pager.example/in", 443),
        ("https://pager.example:8443", 8443),
        ("http://localhost/", 80),
        ("http://127.0.0.1:81/", 81),
        ("http://[::1]:82/", 82),
    ] {
        let config = config(&dir, url, None);
        assert_eq!(config.port(), Some(port));
        Sink::open(&config, ORIGIN).unwrap();
    }
    for (url, word) in [
        ("http://pager.example/", "another machine"),
        ("http://127.0.0.1.pager.example/", "another machine"),
        ("http://10.0.0.1/", "another machine"),
        ("https://ann:geheim@pager.example/", "user"),
        ("ftp://pager.example/", "https://"),
        ("pager.example", "https://"),
        ("/in", "host"),
        ("", "https://"),
        ("https://pager.example/\r\nX: y", "no URL"),
    ] {
        let config = config(&dir, url, None);
        assert_eq!(config.port(), None, "{url}");
        let cause = fault(&config);
        assert!(cause.contains(word) && !cause.contains("geheim"), "{url}: {cause}");
    }
}

#[test]
fn a_bad_secret_and_one_that_others_can_read_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir, "https://pager.example/", None);
    let path = dir.path().join("secret");
    for bad in ["", "whsec_", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_c2hvcnQ=", "whsec_§"] {
        fs::write(&path, bad).unwrap();
        let cause = fault(&config);
        assert!(cause.contains("whsec_` and the base64") && !cause.contains("c2hvcnQ"), "{cause}");
    }
    fs::write(&path, SECRET).unwrap();
    assert!(!format!("{:?}", Sink::open(&config, ORIGIN).unwrap()).contains("C2FVs"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = Sink::open(&config, ORIGIN).unwrap_err();
    assert!(matches!(error, DeliveryError::Secret { .. }), "{error}");
    assert!(error.to_string().contains("chmod 600"), "{error}");
}

#[test]
fn a_file_without_authorities_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    let config = config(&dir, "https://pager.example/", Some(ca.clone()));
    assert!(fault(&config).contains("ca.pem"));
    fs::write(&ca, "no certificate\n").unwrap();
    assert!(fault(&config).contains("ca.pem"));
}

#[test]
fn with_any_detail_the_request_verifies_and_is_small() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut receiver = runtime.block_on(Receiver::start(status(200), None));
    let sink = plain(&receiver);
    let property = |detail: String| {
        runtime.block_on(sink.deliver(&alarm(&detail), SystemClock.now())).unwrap();
        let (head, body) = receiver.next().unwrap();
        verify(&head, &body).unwrap();
        assert!(body.len() < 20_000);
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["data"]["detail"], one_line(&detail));
        assert!(receiver.next().is_none());
    };
    check(property);
}

/// Runs a property that changes captured variables.
fn check(property: impl FnMut(String)) {
    let property = std::cell::RefCell::new(property);
    TestRunner::default()
        .run(&details(), |detail| {
            property.borrow_mut()(detail);
            Ok(())
        })
        .unwrap();
}
