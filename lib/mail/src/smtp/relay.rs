//! Where messages are handed over, and how one gets in there.

use std::fmt;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::Arc;

use cofferdam_core::Personal;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How the way to a relay is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayTls {
    /// Not at all: for a relay on this machine.
    None,
    /// By STARTTLS (RFC 3207); a relay that does not offer it gets nothing.
    StartTls,
    /// From the first byte (RFC 8314).
    Implicit,
}

/// A relay that takes messages.
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

/// Why a relay can't be used as configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// The address is none.
    #[error("the relay {0:?} is no HOST:PORT")]
    Address(String),
    /// The authority's certificates can't be used.
    #[error("the certificates with which to check the relay {0}: {1}")]
    Authority(String, String),
    /// A password must not travel in the clear.
    #[error("the relay {0} has a password, and no TLS to send it over")]
    Exposed(String),
}

impl Relay {
    /// A relay on this machine, without TLS and login.
    #[must_use]
    pub fn plain(address: impl Into<String>) -> Self {
        Self { address: address.into(), tls: None, login: None }
    }

    /// A relay that is spoken to over TLS, its certificate checked against `authority` (PEM).
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
            return Err(bad("there is none".to_owned()));
        }
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        Ok(Self { address: address.to_owned(), tls: Some((tls, connector, name)), login: None })
    }

    /// The same with a login (RFC 4954), which goes over TLS only.
    pub fn with_login(mut self, user: Personal, password: Personal) -> Result<Self, RelayError> {
        if self.mode() == RelayTls::None {
            return Err(RelayError::Exposed(self.address));
        }
        self.login = Some(Login { user, password });
        Ok(self)
    }

    /// `HOST:PORT`
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether every address of it is one of this machine's own.
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
