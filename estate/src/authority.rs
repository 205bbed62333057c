//! The estate's certificate authority and the certificates that it signs.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use cofferdam_core::Timestamp;
use cofferdam_wire::write_secret;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

use crate::EstateError;

/// The time for which a certificate is valid.
const VALIDITY: Duration = Duration::days(825);
/// The time by which the clock of another machine may be behind.
const SKEW: Duration = Duration::hours(1);

/// An authority that certifies callers and no other authorities.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    now: OffsetDateTime,
}

impl Authority {
    /// Makes an authority. Its files are `dir/ca.pem` and `dir/ca.key`.
    pub fn create(dir: &Path, now: Timestamp) -> Result<Self, EstateError> {
        let now = OffsetDateTime::from_unix_timestamp(now.as_second())?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Cofferdam estate authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = now - SKEW;
        params.not_after = now + VALIDITY;
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        write(&dir.join("ca.pem"), &issuer.pem())?;
        write_secret(&dir.join("ca.key"), issuer.key().serialize_pem().as_bytes())?;
        Ok(Self { issuer, now })
    }

    /// Certifies `name` as client and as server. The files are `dir/cert.pem` and `dir/key.pem`.
    pub fn certify(&self, name: &str, dir: &Path) -> Result<(), EstateError> {
        let mut params = CertificateParams::new([name.to_owned(), "localhost".to_owned()])?;
        params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = self.now - SKEW;
        params.not_after = self.now + VALIDITY;
        let key = KeyPair::generate()?;
        let cert = params.signed_by(&key, &self.issuer)?;
        write(&dir.join("cert.pem"), &cert.pem())?;
        Ok(write_secret(&dir.join("key.pem"), key.serialize_pem().as_bytes())?)
    }
}

fn write(path: &Path, text: &str) -> Result<(), EstateError> {
    fs::write(path, text).map_err(EstateError::file(path))
}
