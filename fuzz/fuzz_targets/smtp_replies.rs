//! What a relay says, from its greeting on: any bytes are heard without a panic, every message gets an
//! outcome, and what is kept of them names nobody.
#![no_main]

use std::cell::RefCell;
use std::net::SocketAddr;

use cofferdam_core::Personal;
use cofferdam_mail::{Connection, Envelope, OpenError, Outcome, Relay};
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

struct Ground {
    runtime: Runtime,
    listener: TcpListener,
    at: SocketAddr,
}

thread_local! {
    static GROUND: RefCell<Ground> = RefCell::new({
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let at = listener.local_addr().unwrap();
        Ground { runtime, listener, at }
    });
}

fuzz_target!(|data: &[u8]| {
    GROUND.with_borrow_mut(|ground| {
        let Ground { runtime, listener, at } = ground;
        runtime.block_on(async { tokio::join!(relay(listener, data), client(*at)) });
    });
});

/// Says all that it has to say at once, and hangs up after the client did.
async fn relay(listener: &TcpListener, data: &[u8]) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let _ = stream.write_all(data).await;
    let _ = stream.shutdown().await;
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
}

async fn client(at: SocketAddr) {
    let relay = Relay::plain(at.to_string());
    let mut connection = match Connection::open(&relay, "shop.example").await {
        Ok(connection) => connection,
        Err(OpenError::TurnedAway { reply, .. }) => return names_nobody(&reply),
        Err(_) => return,
    };
    let envelope = Envelope {
        from: "notice@shop.example".to_owned(),
        to: Personal::new("ada.lovelace@mail.example"),
    };
    for message in ["Subject: one\r\n\r\n.\r\n", "Subject: two\r\n\r\n\u{e9}\r\n"] {
        match connection.send(&envelope, message.as_bytes()).await {
            Outcome::Accepted(accepted) => names_nobody(accepted.receipt()),
            Outcome::Refused { code, reply } => {
                assert!((500..=599).contains(&code));
                names_nobody(&reply);
            }
            Outcome::Deferred { reply, .. } => names_nobody(&reply),
            Outcome::InDoubt { .. } => {}
        }
    }
    connection.close().await;
}

fn names_nobody(said: &str) {
    assert!(said.chars().count() <= 300 && !said.contains('@'), "{said}");
    assert!(!said.chars().any(char::is_control), "{said:?}");
}
