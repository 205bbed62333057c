//! A client of a compartment with two instances, one of which falls silent or dies.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use cofferdam_core::{Call, Compartment};
use cofferdam_wire::{Answer, Body, CallError, Client, Health, Listener, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use testkit::{Authority, Wire, free_address};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

/// A call, and the milliseconds until its answer.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Ask {
    wait_ms: u64,
}

impl Call for Ask {
    const PATH: &'static str = "/v1/questions/ask";
    type Answer = usize;
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct AskOnce {
    wait_ms: u64,
}

impl Call for AskOnce {
    const PATH: &'static str = "/v1/questions/ask-once";
    const ONCE: bool = true;
    type Answer = usize;
}

/// An instance, which answers its number.
struct Instance {
    base: String,
    health: Health,
    calls: Arc<AtomicUsize>,
}

impl Instance {
    async fn start(authority: &Authority, number: usize) -> Self {
        let (health, calls) = (Health::default(), Arc::new(AtomicUsize::new(0)));
        let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let listener = listener.tell_health(health.clone());
        let base = format!("https://localhost:{}", listener.address().port());
        let identity = authority.identity("keys");
        let count = calls.clone();
        let answer = move |wait_ms| {
            count.fetch_add(1, Ordering::SeqCst);
            async move {
                sleep(Duration::from_millis(wait_ms)).await;
                number
            }
        };
        let once = answer.clone();
        let router = Router::new()
            .route(
                Ask::PATH,
                post(async move |Body(call, encoding): Body<Ask>| {
                    Ok::<_, Problem>(Answer(answer(call.wait_ms).await, encoding))
                }),
            )
            .route(
                AskOnce::PATH,
                post(async move |Body(call, encoding): Body<AskOnce>| {
                    Ok::<_, Problem>(Answer(once(call.wait_ms).await, encoding))
                }),
            );
        tokio::spawn(async move {
            listener.serve(&identity, router, std::future::pending()).await;
        });
        Self { base, health, calls }
    }

    /// A wire to the instance, which can be cut, and the URL through it.
    async fn behind_wire(&self) -> (Wire, String) {
        let (_, port) = self.base.rsplit_once(':').unwrap();
        let wire = Wire::to(format!("127.0.0.1:{port}")).await;
        let base = format!("https://localhost:{}", wire.address().port());
        (wire, base)
    }
}

fn client(authority: &Authority, bases: &[String]) -> Client {
    Client::any(Compartment::Keys, bases, &authority.identity("accounts"))
}

async fn ask(client: &Client) -> usize {
    client.call(&Ask { wait_ms: 0 }).await.unwrap()
}

/// A client that prefers the instance with the number 1, which is the first of these. On a busy machine
/// the second one may be quicker to tell that it works.
async fn client_of_first(authority: &Authority, bases: &[String]) -> Client {
    for _ in 0..20 {
        let client = client(authority, bases);
        if ask(&client).await == 1 {
            return client;
        }
    }
    panic!("no client prefers the first instance");
}

#[tokio::test]
async fn an_instance_that_is_silent_or_down_is_left_at_once() {
    let authority = Authority::new();
    let good = Instance::start(&authority, 7).await;
    // The system takes its connections, and nobody answers them.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let silent = format!("https://localhost:{}", silent.local_addr().unwrap().port());
    let down = format!("https://localhost:{}", free_address().port());
    for bad in [silent, down] {
        let client = client(&authority, &[bad, good.base.clone()]);
        let began = Instant::now();
        assert_eq!(ask(&client).await, 7);
        assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
        assert!(client.is_healthy().await);
    }
}

#[tokio::test]
async fn an_instance_that_says_it_does_not_work_is_left_while_another_one_works() {
    let authority = Authority::new();
    let [first, second] =
        [Instance::start(&authority, 1).await, Instance::start(&authority, 2).await];
    let client = client_of_first(&authority, &[first.base.clone(), second.base.clone()]).await;
    let before = first.calls.load(Ordering::SeqCst);
    let failing = || Some(cofferdam_wire::Ailment::Failing("no orders".to_owned()));
    first.health.set("orders", failing());
    sleep(Duration::from_millis(250)).await;
    assert_eq!(ask(&client).await, 2);
    second.health.set("orders", failing());
    sleep(Duration::from_millis(250)).await;
    let answer = ask(&client).await;
    let again = first.calls.load(Ordering::SeqCst) - before;
    assert_eq!(answer + again, 2, "it goes on anyway");
}

#[tokio::test]
async fn a_call_whose_instance_falls_silent_is_made_again_unless_it_must_be_made_once() {
    let authority = Authority::new();
    let [first, second] =
        [Instance::start(&authority, 1).await, Instance::start(&authority, 2).await];
    for once in [false, true] {
        let (wire, base) = first.behind_wire().await;
        let client = client_of_first(&authority, &[base, second.base.clone()]).await;
        let long = async || {
            if once {
                client.call(&AskOnce { wait_ms: 60_000 }).await
            } else {
                client.call(&Ask { wait_ms: 60_000 }).await
            }
        };
        let (before, before_second) = (first.calls.load(Ordering::SeqCst), &second.calls);
        let at_second = before_second.load(Ordering::SeqCst);
        let cut = async {
            while first.calls.load(Ordering::SeqCst) == before {
                sleep(Duration::from_millis(5)).await;
            }
            wire.cut();
        };
        let turned = async {
            while before_second.load(Ordering::SeqCst) == at_second {
                sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            answer = long() => {
                assert!(once && matches!(answer, Err(CallError::Unreachable { .. })), "{answer:?}");
            }
            () = async { cut.await; turned.await } => assert!(!once, "it was made twice"),
            () = sleep(Duration::from_secs(5)) => assert!(once, "it was not made again"),
        }
    }
}

/// An instance that works is waited for, however long it takes.
#[tokio::test]
async fn a_long_call_is_waited_for() {
    let authority = Authority::new();
    let [first, second] =
        [Instance::start(&authority, 1).await, Instance::start(&authority, 2).await];
    let client = client(&authority, &[first.base.clone(), second.base.clone()]);
    assert_eq!(client.call(&Ask { wait_ms: 2_000 }).await.unwrap(), 1);
    assert_eq!(second.calls.load(Ordering::SeqCst), 0);
}
