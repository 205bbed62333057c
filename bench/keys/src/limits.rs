//! The limits that `keys` can't beat: the hash, the disk, the connection.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk};
use axum::Router;
use axum::routing::post;
use cofferdam_core::{Call, Compartment};
use cofferdam_wire::{Answer, Body, Listener};
use testkit::Authority;

struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

/// The number of HKDF-SHA-256 expansions that one core does in a second.
pub fn hkdf(span: Duration) -> f64 {
    let key = Prk::new_less_safe(HKDF_SHA256, &[7; 32]);
    let (start, mut done, mut out) = (Instant::now(), 0_u32, [0; 32]);
    while start.elapsed() < span {
        for _ in 0..1_000 {
            key.expand(&[&done.to_be_bytes()], Bytes32).unwrap().fill(&mut out).unwrap();
            done += 1;
        }
    }
    std::hint::black_box(out);
    f64::from(done) / start.elapsed().as_secs_f64()
}

/// The number of appends of 100 bytes that reach the disk in a second.
pub fn fdatasync(dir: &Path, span: Duration) -> f64 {
    let mut file = File::create(dir.join("fsync")).unwrap();
    let (start, mut done) = (Instant::now(), 0_u32);
    while start.elapsed() < span {
        file.write_all(&[7; 100]).unwrap();
        file.sync_data().unwrap();
        done += 1;
    }
    f64::from(done) / start.elapsed().as_secs_f64()
}

/// A call that does nothing.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Echo {}

impl Call for Echo {
    const PATH: &'static str = "/echo";
    const COMPACT: bool = true;
    type Answer = ();
}

async fn echo_back(Body(_, encoding): Body<Echo>) -> Answer<()> {
    Answer((), encoding)
}

/// The number of empty calls a second through the same server and client code, in this process.
pub async fn echo(span: Duration, connections: usize) -> f64 {
    let authority = Authority::new();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let base = format!("https://localhost:{}", listener.address().port());
    let identity = authority.identity("keys");
    let router = Router::new().route(Echo::PATH, post(echo_back));
    let server = tokio::spawn(async move {
        listener.serve(&identity, router, std::future::pending()).await;
    });
    let client = authority.client(Compartment::Keys, "accounts", &base);
    let measured = testkit::load::measure(span, connections, move |_| {
        let client = client.clone();
        async move { client.call(&Echo {}).await.unwrap() }
    })
    .await;
    server.abort();
    measured.calls
}
