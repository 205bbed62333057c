//! A client's check of a server's certificate: that of rustls, and that its key was not revoked.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::VerifierBuilderError;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::RevokedKeys;
use crate::identity::key_of;

/// Takes the certificates that rustls takes, except those with a revoked key.
#[derive(Debug)]
pub struct UnrevokedServer {
    inner: Arc<WebPkiServerVerifier>,
    revoked: RevokedKeys,
}

impl UnrevokedServer {
    /// Makes the check for certificates under `roots`.
    pub fn new(
        roots: &Arc<RootCertStore>,
        provider: &Arc<CryptoProvider>,
        revoked: RevokedKeys,
    ) -> Result<Self, VerifierBuilderError> {
        let builder = WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone());
        Ok(Self { inner: builder.build()?, revoked })
    }
}

impl ServerCertVerifier for UnrevokedServer {
    fn verify_server_cert(
        &self,
        cert: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.inner.verify_server_cert(cert, chain, name, ocsp, now)?;
        match key_of(cert) {
            Some(key) if !self.revoked.contains(&key) => Ok(verified),
            _ => Err(CertificateError::Revoked.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
