//! Who a process is: its certificate and key, and the authority that it trusts.

use std::path::PathBuf;
use std::sync::Arc;

use cofferdam_core::CallerName;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde::{Deserialize, Serialize};

use crate::{ConfigError, read_secret};

/// Where a process finds its certificates, as in its configuration.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The authority's certificate, PEM.
    pub ca: PathBuf,
    /// The process's certificate, PEM; its DNS name is its identity.
    pub cert: PathBuf,
    /// The private key, PEM, mode 0600.
    pub key: PathBuf,
}

/// A certificate, its key and the authority.
pub struct Identity {
    roots: Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    name: CallerName,
}

/// Why an identity can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A file can't be read.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// A file is no PEM of the right kind.
    #[error("{}: {cause}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// The certificate and key don't make a TLS identity.
    #[error("the certificate can't be used: {0}")]
    Tls(String),
}

impl Identity {
    /// Reads the files and checks that they belong together.
    pub fn load(files: &TlsFiles) -> Result<Self, IdentityError> {
        let pem = |path: &PathBuf, cause: rustls::pki_types::pem::Error| IdentityError::Pem {
            path: path.clone(),
            cause: cause.to_string(),
        };
        let mut roots = RootCertStore::empty();
        for cert in CertificateDer::pem_file_iter(&files.ca).map_err(|e| pem(&files.ca, e))? {
            let cert = cert.map_err(|e| pem(&files.ca, e))?;
            roots.add(cert).map_err(|e| IdentityError::Tls(e.to_string()))?;
        }
        let chain = CertificateDer::pem_file_iter(&files.cert)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|e| pem(&files.cert, e))?;
        let secret = read_secret(&files.key)?;
        let key = PrivateKeyDer::from_pem_slice(&secret).map_err(|e| pem(&files.key, e))?;
        let name = chain.first().and_then(caller_of).ok_or_else(|| {
            IdentityError::Tls("it has no DNS name that is a caller's name".into())
        })?;
        let identity = Self { roots: Arc::new(roots), chain, key, name };
        identity.try_server_config()?;
        Ok(identity)
    }

    /// The name in the certificate.
    #[must_use]
    pub const fn name(&self) -> &CallerName {
        &self.name
    }

    /// TLS for a server that asks every client for a certificate of the same authority.
    pub(crate) fn server_config(&self) -> ServerConfig {
        #[expect(clippy::expect_used, reason = "`load` has tried it")]
        self.try_server_config().expect("the identity was checked when it was loaded")
    }

    fn try_server_config(&self) -> Result<ServerConfig, IdentityError> {
        let tls = |e: &dyn std::error::Error| IdentityError::Tls(e.to_string());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(self.roots.clone(), provider.clone())
                .build()
                .map_err(|e| tls(&e))?;
        ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|e| tls(&e))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .map_err(|e| tls(&e))
    }

    /// TLS for a client that shows this identity.
    pub(crate) fn client_config(&self) -> ClientConfig {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        #[expect(clippy::expect_used, reason = "`load` has tried the same chain and key")]
        ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("the provider knows TLS 1.3")
            .with_root_certificates(self.roots.clone())
            .with_client_auth_cert(self.chain.clone(), self.key.clone_key())
            .expect("the identity was checked when it was loaded")
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.name)
    }
}

/// The caller that a certificate names: its first DNS name other than `localhost`.
pub(crate) fn caller_of(cert: &CertificateDer<'_>) -> Option<CallerName> {
    let cert = webpki::EndEntityCert::try_from(cert).ok()?;
    cert.valid_dns_names().find(|name| *name != "localhost")?.parse().ok()
}
