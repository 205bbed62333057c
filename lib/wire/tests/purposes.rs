//! Certificates of one authority, used for what they are not for.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::post;
use cofferdam_core::{Call, Compartment};
use cofferdam_wire::{
    Answer, Body, Client, Identity, IdentityError, Listener, Problem, ProblemType, RevokedKeys,
    TlsFiles,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use testkit::Authority;
use tokio::sync::mpsc;

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Whisper {
    secret: String,
}

impl Call for Whisper {
    const PATH: &'static str = "/v1/secrets/whisper";
    type Answer = ();
}

/// Serves with the certificate of these files, and counts the calls that arrive.
async fn serve(files: &TlsFiles) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    serve_at(listener, files)
}

fn serve_at(listener: Listener, files: &TlsFiles) -> (SocketAddr, Arc<AtomicUsize>) {
    let (address, identity) = (listener.address(), Identity::load(files).unwrap());
    let heard = Arc::new(AtomicUsize::new(0));
    let counter = heard.clone();
    let handle = async move |Body(Whisper { .. }, encoding): Body<Whisper>| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok::<_, Problem>(Answer((), encoding))
    };
    let router = Router::new().route(Whisper::PATH, post(handle));
    tokio::spawn(async move { listener.serve(&identity, router, std::future::pending()).await });
    (address, heard)
}

fn whisper() -> Whisper {
    Whisper { secret: "pepper".to_owned() }
}

#[tokio::test]
async fn no_other_certificate_stands_in_for_a_compartment() {
    let authority = Authority::new();
    for (files, may) in [
        (authority.files("keys"), true),
        (authority.files("web-ky-1"), false),
        (authority.files("accounts"), false),
        (authority.server_files("relay"), false),
        (Authority::new().files("keys"), false),
    ] {
        let (address, heard) = serve(&files).await;
        let base = format!("https://localhost:{}", address.port());
        let client = authority.client(Compartment::Keys, "accounts", &base);
        let answer = client.call(&whisper()).await;
        assert_eq!(answer.is_ok(), may, "{}: {answer:?}", files.cert.display());
        assert_eq!(heard.load(Ordering::SeqCst), usize::from(may), "{}", files.cert.display());
    }
}

#[tokio::test]
async fn a_certificate_for_servers_calls_nobody() {
    let authority = Authority::new();
    let (address, heard) = serve(&authority.files("keys")).await;
    let base = format!("https://localhost:{}", address.port());
    let relay = Identity::load(&authority.server_files("relay")).unwrap();
    let refused = Client::new(Compartment::Keys, &base, &relay).call(&whisper()).await;
    assert!(refused.is_err());
    assert_eq!(heard.load(Ordering::SeqCst), 0);
}

#[test]
fn a_compartment_does_not_start_with_anothers_certificate() {
    let authority = Authority::new();
    let load = |name| Identity::load_compartment(Compartment::Keys, &authority.files(name));
    assert!(load("keys").is_ok());
    for name in ["accounts", "web-ky-1"] {
        assert!(matches!(load(name), Err(IdentityError::NotOf { .. })), "{name}");
    }
}

#[tokio::test]
async fn a_revoked_key_gets_no_answer_over_any_connection_and_is_reported() {
    let authority = Authority::new();
    let (revoked, (to, mut refused)) = (RevokedKeys::default(), mpsc::channel(8));
    let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let listener = listener.refuse_keys(revoked.clone()).tell_refused(to);
    let (address, heard) = serve_at(listener, &authority.files("keys"));
    let base = format!("https://localhost:{}", address.port());
    let stolen = authority.client(Compartment::Keys, "web-ky-1", &base);
    stolen.call(&whisper()).await.unwrap();

    let key = authority.key("web-ky-1");
    assert_eq!(revoked.add([key]), [key]);
    assert_eq!(revoked.add([key]), []);
    assert!(stolen.call(&whisper()).await.unwrap_err().is(ProblemType::NOT_GRANTED));
    let anew = authority.client(Compartment::Keys, "web-ky-1", &base).call(&whisper()).await;
    assert!(anew.unwrap_err().problem().is_none(), "the connection was closed");
    assert_eq!(refused.recv().await.unwrap().why, "the key of web-ky-1 was revoked");
    assert_eq!(heard.load(Ordering::SeqCst), 1);

    authority.renew("web-ky-1");
    authority.client(Compartment::Keys, "web-ky-1", &base).call(&whisper()).await.unwrap();
}

/// A thief stands in for a compartment with a copy of its key.
#[tokio::test]
async fn a_server_with_a_revoked_key_is_asked_nothing_more() {
    let authority = Authority::new();
    let (thief, heard) = serve(&authority.files("keys")).await;
    let stolen = authority.key("keys");
    authority.renew("keys");
    let (real, served) = serve(&authority.files("keys")).await;
    let identity = authority.identity("accounts");
    let [thief, real] = [thief, real].map(|at| {
        let base = format!("https://localhost:{}", at.port());
        Client::new(Compartment::Keys, &base, &identity)
    });
    thief.call(&whisper()).await.unwrap();
    identity.revoked().add([stolen]);
    let refused = thief.call(&whisper()).await.unwrap_err();
    assert!(refused.to_string().contains("evoked"), "{refused}");
    let base = thief.clone();
    assert!(base.call(&whisper()).await.is_err(), "clones refuse it too");
    assert_eq!(heard.load(Ordering::SeqCst), 1, "the open connection is not used again");
    real.call(&whisper()).await.unwrap();
    assert_eq!(served.load(Ordering::SeqCst), 1);
}
