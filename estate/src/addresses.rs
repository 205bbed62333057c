//! The addresses on which the compartments of an estate listen.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;

use cofferdam_core::Rng;
use serde::{Deserialize, Serialize};

use crate::{Compartment, EstateError};

/// The addresses of an estate, as in `DIR/estate.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    /// The URL of `keys`: `https://localhost:PORT`
    pub keys: String,
    /// The URL of `accounts`: `https://localhost:PORT`
    pub accounts: String,
    /// The URL of `payments`: `https://localhost:PORT`
    pub payments: String,
    /// The URL of `response`: `https://localhost:PORT`
    pub response: String,
    /// The notice, which `response` serves: `http://localhost:PORT`
    pub notice: String,
    /// The mail sink, which takes all mail unless a configuration names another relay: `HOST:PORT`
    pub relay: String,
}

/// The ports of estates. They are below the ports that Linux and macOS lend to outgoing
/// connections, because a connection could otherwise take an estate's port while the estate is
/// down.
const PORTS: Range<u16> = 20_000..30_000;

impl Addresses {
    /// Picks ports of loopback that are free now. The search starts at a random port, so that two
    /// estates rarely get the same ones.
    pub fn pick(rng: &dyn Rng) -> Result<Self, EstateError> {
        let first = u16::from_be_bytes(rng.bytes()) % (PORTS.end - PORTS.start) + PORTS.start;
        let mut free = (first..PORTS.end)
            .chain(PORTS.start..first)
            .filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
        let mut at = |host: &str| {
            let port = free.next().ok_or(EstateError::NoPorts)?;
            Ok::<_, EstateError>(format!("{host}:{port}"))
        };
        Ok(Self {
            keys: at("https://localhost")?,
            accounts: at("https://localhost")?,
            payments: at("https://localhost")?,
            response: at("https://localhost")?,
            notice: at("http://localhost")?,
            relay: at("127.0.0.1")?,
        })
    }

    /// The URL of a compartment.
    #[must_use]
    pub fn of(&self, compartment: Compartment) -> &str {
        match compartment {
            Compartment::Keys => &self.keys,
            Compartment::Accounts => &self.accounts,
            Compartment::Payments => &self.payments,
            Compartment::Response => &self.response,
        }
    }
}

/// The socket address behind a URL of [`Addresses::pick`].
pub fn listen(url: &str) -> SocketAddr {
    let port = url.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(0);
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use cofferdam_core::SeededRng;

    use super::*;

    #[test]
    fn six_different_ports_of_the_range_are_picked() {
        let at = Addresses::pick(&SeededRng::new(1)).unwrap();
        let all = [&at.keys, &at.accounts, &at.payments, &at.response, &at.notice, &at.relay];
        let ports: BTreeSet<u16> = all.into_iter().map(|url| listen(url).port()).collect();
        assert_eq!(ports.len(), 6);
        assert!(ports.iter().all(|port| PORTS.contains(port)), "{ports:?}");
    }
}
