//! A certificate authority for one test.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cofferdam_core::{Compartment, Sha256};
use cofferdam_wire::{Client, Identity, TlsFiles, certificate_chain, key_of_chain, write_secret};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio_rustls::TlsConnector;

/// An authority and its certificates. Their PEM files are deleted with this value.
pub struct Authority {
    dir: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// The number of certificates that were made. Each is a second younger than the one before.
    made: AtomicU64,
}

impl Authority {
    /// Makes a new authority that trusts no other.
    #[must_use]
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::default();
        // Some TLS libraries take a certificate with its issuer's name for self-signed, so the
        // authority needs a name of its own.
        params.distinguished_name.push(DnType::CommonName, "test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        fs::write(dir.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { dir, issuer, made: AtomicU64::default() }
    }

    /// The certificate files of a caller, or of a compartment by the name under which it calls. The
    /// first call makes them. A caller's certificate is for clients alone; a compartment's is for
    /// both sides, and also has the compartment's name and `localhost`. The key has mode 0600.
    #[must_use]
    pub fn files(&self, name: &str) -> TlsFiles {
        let compartment = match name {
            "keys" => Compartment::Keys,
            "accounts" => Compartment::Accounts,
            "payments" => Compartment::Payments,
            "response-1" => Compartment::Response,
            _ => return self.certify(name, &[name], &[ExtendedKeyUsagePurpose::ClientAuth]),
        };
        let both = [ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        self.certify(name, &[name, compartment.server_name(), "localhost"], &both)
    }

    /// The SHA-256 of the public key of `name`.
    #[must_use]
    pub fn key(&self, name: &str) -> Sha256 {
        key_of_chain(&certificate_chain(&self.files(name).cert).unwrap()).unwrap()
    }

    /// The certificate files of a server at `localhost` that is no compartment.
    #[must_use]
    pub fn server_files(&self, name: &str) -> TlsFiles {
        self.certify(name, &[name, "localhost"], &[ExtendedKeyUsagePurpose::ServerAuth])
    }

    fn certify(&self, name: &str, names: &[&str], uses: &[ExtendedKeyUsagePurpose]) -> TlsFiles {
        let path = |end: &str| -> PathBuf { self.dir.path().join(format!("{name}-{end}.pem")) };
        let files =
            TlsFiles { ca: self.dir.path().join("ca.pem"), cert: path("cert"), key: path("key") };
        if !files.cert.exists() {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            let mut params = CertificateParams::new(names).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            params.extended_key_usages = uses.to_vec();
            let made = Duration::from_secs(self.made.fetch_add(1, Ordering::Relaxed));
            params.not_before = rcgen::date_time_ymd(2012, 1, 1) + made;
            let key = KeyPair::generate().unwrap();
            let cert = params.signed_by(&key, &self.issuer).unwrap();
            write_secret(&files.key, key.serialize_pem().as_bytes()).unwrap();
            fs::write(&files.cert, cert.pem()).unwrap();
        }
        files
    }

    /// Removes the certificate of `name`, so that the next call makes another one with a new key.
    pub fn renew(&self, name: &str) {
        for end in ["cert", "key"] {
            fs::remove_file(self.dir.path().join(format!("{name}-{end}.pem"))).unwrap();
        }
    }

    /// The identity of `name`, loaded from its files.
    #[must_use]
    pub fn identity(&self, name: &str) -> Identity {
        Identity::load(&self.files(name)).unwrap()
    }

    /// A client of the compartment at the URL `base`, such as `https://localhost:7001`. It presents
    /// the certificate of `name`.
    #[must_use]
    pub fn client(&self, of: Compartment, name: &str, base: &str) -> Client {
        Client::new(of, base, &self.identity(name))
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes the TLS handshake of a client with these files, for tests that misuse the connection
/// behind it.
#[must_use]
pub fn connector(files: &TlsFiles) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&files.ca).unwrap()).unwrap();
    let chain = vec![CertificateDer::from_pem_file(&files.cert).unwrap()];
    let key = PrivateKeyDer::from_pem_file(&files.key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .unwrap();
    Arc::new(config).into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_certificate_names_its_caller_and_only_the_owner_can_read_its_key() {
        let authority = Authority::new();
        let files = authority.files("web-ky-1");
        assert_eq!(authority.identity("web-ky-1").name().as_str(), "web-ky-1");
        let mode = fs::metadata(&files.key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
