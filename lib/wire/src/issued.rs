//! Certificates that are shown in a call: whose they are, and since when.

use cofferdam_core::{CallerName, CertificateChain, Sha256};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::identity::{caller_of, key_of};

/// A certificate of the authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The caller whose certificate it is.
    pub caller: CallerName,
    /// The SHA-256 of its public key.
    pub key: Sha256,
    /// The beginning of its validity (`notBefore`), in seconds since 1970.
    pub since: i64,
}

/// A certificate is none of the authority, or can't be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotIssued {
    /// It can't be parsed, or names no caller.
    #[error("it is no certificate of a caller")]
    Unreadable,
    /// The authority did not issue it.
    #[error("the authority of this estate did not issue it: {0}")]
    Untrusted(String),
}

/// The SHA-256 of the public key in a certificate, whoever issued it.
pub fn key_of_chain(chain: &CertificateChain) -> Result<Sha256, NotIssued> {
    let first = chain.certificates().first().ok_or(NotIssued::Unreadable)?;
    key_of(&CertificateDer::from(first.as_slice())).ok_or(NotIssued::Unreadable)
}

/// Checks that the authority issued a certificate. One that has expired counts as well.
pub fn check_issued(roots: &RootCertStore, chain: &CertificateChain) -> Result<Issued, NotIssued> {
    let ders = chain.certificates().iter().map(|der| CertificateDer::from(der.as_slice()));
    let ders: Vec<_> = ders.collect();
    let (first, between) = ders.split_first().ok_or(NotIssued::Unreadable)?;
    let (_, parsed) = X509Certificate::from_der(first).map_err(|_| NotIssued::Unreadable)?;
    let since = parsed.validity().not_before.timestamp();
    let caller = caller_of(first).ok_or(NotIssued::Unreadable)?;
    let key = key_of(first).ok_or(NotIssued::Unreadable)?;
    let cert = EndEntityCert::try_from(first).map_err(|_| NotIssued::Unreadable)?;
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let algorithms = provider.signature_verification_algorithms.all;
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(since.unsigned_abs()));
    let checked = [KeyUsage::client_auth(), KeyUsage::server_auth()].map(|usage| {
        cert.verify_for_usage(algorithms, &roots.roots, between, at, usage, None, None).map(drop)
    });
    match checked {
        [Ok(()), _] | [_, Ok(())] => Ok(Issued { caller, key, since }),
        [Err(e), _] => Err(NotIssued::Untrusted(e.to_string())),
    }
}
