//! A certificate authority of one test.

use std::fs;
use std::path::PathBuf;

use cofferdam_wire::{Client, Identity, TlsFiles, write_secret};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use tempfile::TempDir;

/// An authority and the certificates it made, as PEM files that go away with it.
pub struct Authority {
    dir: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// A new authority, which no other trusts.
    #[must_use]
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::default();
        // Other libraries than ours take a certificate with its issuer's name for self-signed.
        params.distinguished_name.push(DnType::CommonName, "test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        fs::write(dir.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { dir, issuer }
    }

    /// The certificate files of `name`, made at the first call: DNS names `name` and `localhost`,
    /// good as server and as client, the key with mode 0600.
    #[must_use]
    pub fn files(&self, name: &str) -> TlsFiles {
        let path = |end: &str| -> PathBuf { self.dir.path().join(format!("{name}-{end}.pem")) };
        let files =
            TlsFiles { ca: self.dir.path().join("ca.pem"), cert: path("cert"), key: path("key") };
        if !files.cert.exists() {
            let names = vec![name.to_owned(), "localhost".to_owned()];
            let mut params = CertificateParams::new(names).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            params.extended_key_usages =
                vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
            let key = KeyPair::generate().unwrap();
            let cert = params.signed_by(&key, &self.issuer).unwrap();
            write_secret(&files.key, key.serialize_pem().as_bytes()).unwrap();
            fs::write(&files.cert, cert.pem()).unwrap();
        }
        files
    }

    /// The identity of `name`, loaded from its files.
    #[must_use]
    pub fn identity(&self, name: &str) -> Identity {
        Identity::load(&self.files(name)).unwrap()
    }

    /// A client that shows the certificate of `name` to the server at `base`, a URL as
    /// `https://localhost:7001`.
    #[must_use]
    pub fn client(&self, name: &str, base: &str) -> Client {
        Client::new(base, &self.identity(name))
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_certificate_names_its_caller_and_its_key_is_its_owners() {
        let authority = Authority::new();
        let files = authority.files("web-ky-1");
        assert_eq!(authority.identity("web-ky-1").name().as_str(), "web-ky-1");
        let mode = fs::metadata(&files.key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
