//! Addresses for servers that a test starts.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below what Linux and macOS lend to outgoing connections, which would take a port between here
/// and the server's start.
const FIRST: u16 = 10_000;
const COUNT: u16 = 10_000;

/// An address of loopback where nobody listens; another one with each call.
pub fn free_address() -> SocketAddr {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    // Tests run as processes of their own beside each other: each begins elsewhere.
    let own = u16::try_from(std::process::id() * 61 % u32::from(COUNT)).unwrap();
    loop {
        let next = TAKEN.fetch_add(1, Ordering::Relaxed);
        assert!(next < COUNT, "no free port");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + (own + next) % COUNT));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
