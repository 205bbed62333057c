//! Addresses for the servers that a test starts.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// The first port. The range lies below the ports that Linux and macOS give to outgoing
/// connections, since such a connection could take the port before the server starts.
const FIRST: u16 = 10_000;
/// The number of ports in the range.
const COUNT: u16 = 10_000;

/// A loopback address on which no process listens. Each call returns another one.
pub fn free_address() -> SocketAddr {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    // Test processes run at the same time, so each begins at another port.
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
