//! The configuration of a relay: address, encryption and login.

use std::fmt;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::Arc;

use cofferdam_core::Personal;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The encryption of the connection to a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayTls {
    /// No encryption, for a relay on this machine.
    None,
    /// TLS after STARTTLS (RFC 3207). A relay that does not support it gets no login and no
    /// message.
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
}

/// A relay to which messages are handed.
#[derive(Clone)]
pub struct Relay {
    address: String,
    tls: Option<(RelayTls, TlsConnector, ServerName<'static>)>,
    login: Option<Login>,
}

#[derive(Clone)]
pub(super) struct Login {
    pub user: Personal,
    pub password: Personal,
}

/// A relay can't be used as configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// The address is malformed.
    #[error("the address of the relay {0:?} is not HOST:PORT")]
    Address(String),
    /// The authority's certificates can't be used.
    #[error("the authority's certificates for the relay {0} can't be used: {1}")]
    Authority(String, String),
    /// The relay has a login without encryption, which would send the password in clear.
    #[error("the relay {0} has a password but no TLS; configure TLS or remove the password")]
    Exposed(String),
}

impl Relay {
    /// A relay without TLS and login. Use it only for a relay on this machine.
    #[must_use]
    pub fn plain(address: impl Into<String>) -> Self {
        Self { address: address.into(), tls: None, login: None }
    }

    /// A relay with TLS, whose certificate must be issued by `authority` (PEM).
    pub fn encrypted(address: &str, tls: RelayTls, authority: &[u8]) -> Result<Self, RelayError> {
        let (host, _) =
            address.rsplit_once(':').ok_or_else(|| RelayError::Address(address.to_owned()))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host);
        let name = name.map_err(|_| RelayError::Address(address.to_owned()))?;
        let bad = |cause: String| RelayError::Authority(address.to_owned(), cause);
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(authority) {
            let certificate = certificate.map_err(|e| bad(e.to_string()))?;
            roots.add(certificate).map_err(|e| bad(e.to_string()))?;
        }
        if roots.is_empty() {
            return Err(bad("the file has no certificate".to_owned()));
        }
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        Ok(Self { address: address.to_owned(), tls: Some((tls, connector, name)), login: None })
    }

    /// Adds a login (RFC 4954). The relay must use TLS.
    pub fn with_login(mut self, user: Personal, password: Personal) -> Result<Self, RelayError> {
        if self.mode() == RelayTls::None {
            return Err(RelayError::Exposed(self.address));
        }
        self.login = Some(Login { user, password });
        Ok(self)
    }

    /// The address as `HOST:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether the relay's name resolves to loopback addresses only.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let local = |ip: IpAddr| ip.is_loopback();
        let found = self.address.to_socket_addrs();
        found.is_ok_and(|mut all| all.all(|address| local(address.ip())))
    }

    pub(super) fn mode(&self) -> RelayTls {
        self.tls.as_ref().map_or(RelayTls::None, |(mode, ..)| *mode)
    }

    pub(super) fn connector(&self) -> Option<(&TlsConnector, ServerName<'static>)> {
        self.tls.as_ref().map(|(_, connector, name)| (connector, name.clone()))
    }

    pub(super) const fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay")
            .field("address", &self.address)
            .field("tls", &self.mode())
            .field("login", &self.login.is_some())
            .finish()
    }
}
