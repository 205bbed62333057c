//! Everything that a relay sends, from its greeting on: no input causes a panic, every message gets
//! an outcome, and no outcome has an address.
#![no_main]

use std::cell::RefCell;
use std::net::SocketAddr;

use cofferdam_core::Personal;
use cofferdam_mail::{Connection, Envelope, OpenError, Outcome, Relay};
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// The runtime and the relay's socket, which all inputs share.
struct Setup {
    runtime: Runtime,
    listener: TcpListener,
    address: SocketAddr,
}

thread_local! {
    static SETUP: RefCell<Setup> = RefCell::new({
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        Setup { runtime, listener, address }
    });
}

fuzz_target!(|data: &[u8]| {
    SETUP.with_borrow_mut(|setup| {
        let Setup { runtime, listener, address } = setup;
        runtime.block_on(async { tokio::join!(relay(listener, data), client(*address)) });
    });
});

/// Sends the whole input at once and hangs up after the client.
async fn relay(listener: &TcpListener, data: &[u8]) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let _ = stream.write_all(data).await;
    let _ = stream.shutdown().await;
    let mut received = Vec::new();
    let _ = stream.read_to_end(&mut received).await;
}

async fn client(address: SocketAddr) {
    let relay = Relay::plain(address.to_string());
    let mut connection = match Connection::open(&relay, "shop.example").await {
        Ok(connection) => connection,
        Err(OpenError::TurnedAway { reply, .. }) => return assert_no_address(&reply),
        Err(_) => return,
    };
    let envelope = Envelope {
        from: "notice@shop.example".to_owned(),
        to: Personal::new("ada.lovelace@mail.example"),
    };
    for message in ["Subject: one\r\n\r\n.\r\n", "Subject: two\r\n\r\n\u{e9}\r\n"] {
        match connection.send(&envelope, message.as_bytes()).await {
            Outcome::Accepted(accepted) => assert_no_address(accepted.receipt()),
            Outcome::Refused { code, reply } => {
                assert!((500..=599).contains(&code));
                assert_no_address(&reply);
            }
            Outcome::Deferred { reply, .. } => assert_no_address(&reply),
            Outcome::InDoubt { .. } => {}
        }
    }
    connection.close().await;
}

fn assert_no_address(text: &str) {
    assert!(text.chars().count() <= 300 && !text.contains('@'), "{text}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
