//! The identity of a process: its certificate, its key and the authority that it trusts.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::SystemTime;

use cofferdam_core::{CallerName, CertificateChain, Compartment, Sha256};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde::{Deserialize, Serialize};

use crate::issued::{Issued, NotIssued, check_issued};
use crate::server_check::UnrevokedServer;
use crate::{ConfigError, RevokedKeys, read_secret};

/// The certificate files of a process, as its configuration names them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The authority's certificate, in PEM.
    pub ca: PathBuf,
    /// The process's certificate, in PEM. The first DNS name in it other than `localhost` is the
    /// identity.
    pub cert: PathBuf,
    /// The private key of the certificate, in PEM, with mode 0600.
    pub key: PathBuf,
}

impl TlsFiles {
    /// The paths of all files, which a sandbox must let the process read.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        [&self.ca, &self.cert, &self.key].into_iter().map(PathBuf::as_path)
    }
}

/// A certificate, its key and the authority. Clones share the same state: renewing one renews all.
#[derive(Clone)]
pub struct Identity {
    name: CallerName,
    files: TlsFiles,
    current: Arc<RwLock<Current>>,
    revoked: RevokedKeys,
}

/// The content of the files when they were last read.
struct Current {
    loaded: Arc<Loaded>,
    stamps: Stamps,
    /// The number of renewals since the process started.
    generation: u64,
}

struct Loaded {
    roots: Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    server: Arc<ServerConfig>,
}

/// The modification time and the length of each file, which show whether it was replaced.
type Stamps = [Option<(SystemTime, u64)>; 3];

/// An identity can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A file can't be read.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// A file is not PEM of the right kind.
    #[error("{}: {cause}", path.display())]
    Pem {
        /// The path of the file.
        path: PathBuf,
        /// The fault of the file.
        cause: String,
    },
    /// A compartment's certificate lacks the name that its clients ask for.
    #[error(
        "{} has no DNS name {}, which clients of this compartment ask for; issue it again",
        path.display(), of.server_name()
    )]
    NotOf {
        /// The path of the certificate.
        path: PathBuf,
        /// The compartment that was to start with it.
        of: Compartment,
    },
    /// The certificate and key don't make a TLS identity.
    #[error("the certificate can't be used: {0}")]
    Tls(String),
}

impl Identity {
    /// Reads the files and checks that certificate and key belong together.
    pub fn load(files: &TlsFiles) -> Result<Self, IdentityError> {
        let stamps = stamps(files);
        let (name, loaded) = Loaded::read(files)?;
        let current = Current { loaded: Arc::new(loaded), stamps, generation: 0 };
        let (current, revoked) = (Arc::new(RwLock::new(current)), RevokedKeys::default());
        Ok(Self { name, files: files.clone(), current, revoked })
    }

    /// Reads the files of a compartment, whose certificate must have the compartment's name.
    pub fn load_compartment(of: Compartment, files: &TlsFiles) -> Result<Self, IdentityError> {
        if !dns_names(&files.cert)?.iter().any(|name| name == of.server_name()) {
            return Err(IdentityError::NotOf { path: files.cert.clone(), of });
        }
        Self::load(files)
    }

    /// The caller's name in the certificate.
    #[must_use]
    pub const fn name(&self) -> &CallerName {
        &self.name
    }

    /// Checks that the authority of this identity issued a certificate.
    pub fn check_issued(&self, chain: &CertificateChain) -> Result<Issued, NotIssued> {
        check_issued(&self.read().loaded.roots, chain)
    }

    /// The revoked keys of certificates. Clients under this identity refuse a server with one of them,
    /// at the next call even on an open connection.
    #[must_use]
    pub const fn revoked(&self) -> &RevokedKeys {
        &self.revoked
    }

    /// Reads the files again if they were replaced, and returns whether they were. New connections
    /// then present the new certificate. If the new files can't be used, the old identity stays.
    pub fn renew(&self) -> Result<bool, IdentityError> {
        let stamps = stamps(&self.files);
        if self.read().stamps == stamps {
            return Ok(false);
        }
        let (name, loaded) = Loaded::read(&self.files)?;
        if name != self.name {
            let fault = format!("it belongs to {name}, but this process is {}", self.name);
            return Err(IdentityError::Tls(fault));
        }
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let generation = current.generation + 1;
        *current = Current { loaded: Arc::new(loaded), stamps, generation };
        Ok(true)
    }

    /// Grows when a client's connections are outdated: they present an old certificate, or a key was
    /// revoked that the server may have.
    pub(crate) fn generation(&self) -> u64 {
        self.read().generation + self.revoked.count()
    }

    /// The TLS configuration of a server, which demands from every client a certificate of the same
    /// authority.
    pub(crate) fn server_config(&self) -> Arc<ServerConfig> {
        self.read().loaded.server.clone()
    }

    /// The TLS configuration of a client, which presents this identity.
    pub(crate) fn client_config(&self) -> ClientConfig {
        let loaded = self.read().loaded.clone();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        #[expect(clippy::expect_used, reason = "`Loaded::read` took the same authority")]
        let verifier = UnrevokedServer::new(&loaded.roots, &provider, self.revoked.clone())
            .expect("the authority was checked when it was loaded");
        let verifier = Arc::new(verifier);
        #[expect(clippy::expect_used, reason = "`Loaded::read` tried the same chain and key")]
        ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("the provider knows TLS 1.3")
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_auth_cert(loaded.chain.clone(), loaded.key.clone_key())
            .expect("the identity was checked when it was loaded")
    }

    fn read(&self) -> RwLockReadGuard<'_, Current> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stamps(files: &TlsFiles) -> Stamps {
    [&files.ca, &files.cert, &files.key].map(|path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

impl Loaded {
    fn read(files: &TlsFiles) -> Result<(CallerName, Self), IdentityError> {
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
        let roots = Arc::new(roots);
        let server = Arc::new(server_config(&roots, &chain, &key)?);
        Ok((name, Self { roots, chain, key, server }))
    }
}

fn server_config(
    roots: &Arc<RootCertStore>,
    chain: &[CertificateDer<'static>],
    key: &PrivateKeyDer<'static>,
) -> Result<ServerConfig, IdentityError> {
    let tls = |e: &dyn std::error::Error| IdentityError::Tls(e.to_string());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
        .build()
        .map_err(|e| tls(&e))?;
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| tls(&e))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain.to_vec(), key.clone_key())
        .map_err(|e| tls(&e))
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.name)
    }
}

/// The DNS names in the certificate of a PEM file.
pub fn dns_names(cert: &Path) -> Result<Vec<String>, IdentityError> {
    let fault = |cause: String| IdentityError::Pem { path: cert.to_owned(), cause };
    let der = CertificateDer::from_pem_file(cert).map_err(|e| fault(e.to_string()))?;
    let parsed = webpki::EndEntityCert::try_from(&der).map_err(|e| fault(e.to_string()))?;
    Ok(parsed.valid_dns_names().map(str::to_owned).collect())
}

/// The certificate of a PEM file, and those between it and the authority.
pub fn certificate_chain(cert: &Path) -> Result<CertificateChain, IdentityError> {
    let fault = |cause: String| IdentityError::Pem { path: cert.to_owned(), cause };
    let ders = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let ders = ders.map_err(|e| fault(e.to_string()))?.into_iter().map(|der| der.to_vec());
    CertificateChain::new(ders.collect()).map_err(|e| fault(e.to_string()))
}

/// The SHA-256 of a certificate's public key.
pub(crate) fn key_of(cert: &CertificateDer<'_>) -> Option<Sha256> {
    let cert = webpki::EndEntityCert::try_from(cert).ok()?;
    Some(Sha256::of(&cert.subject_public_key_info()))
}

/// The caller's name in a certificate: the first DNS name other than `localhost`.
pub(crate) fn caller_of(cert: &CertificateDer<'_>) -> Option<CallerName> {
    let cert = webpki::EndEntityCert::try_from(cert).ok()?;
    cert.valid_dns_names().find(|name| *name != "localhost")?.parse().ok()
}
