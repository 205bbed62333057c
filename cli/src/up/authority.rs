//! The estate's certificate authority and the certificates it makes.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use cofferdam_core::{Clock, SystemClock};
use cofferdam_wire::write_secret;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

use crate::CommandError;

/// How long certificates of an estate are good.
const LIFE: Duration = Duration::days(825);

/// An authority that certifies callers, and no other authorities.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    now: OffsetDateTime,
}

impl Authority {
    /// A new authority; its files are `dir/ca.pem` and `dir/ca.key`.
    pub fn create(dir: &Path) -> Result<Self, CommandError> {
        let now = OffsetDateTime::from_unix_timestamp(SystemClock.now().as_second())?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Cofferdam estate authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = now - Duration::hours(1);
        params.not_after = now + LIFE;
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        fs::write(dir.join("ca.pem"), issuer.pem())?;
        write_secret(&dir.join("ca.key"), issuer.key().serialize_pem().as_bytes())?;
        Ok(Self { issuer, now })
    }

    /// A certificate for `name`, as `dir/cert.pem` and `dir/key.pem`.
    pub fn certify(&self, name: &str, dir: &Path) -> Result<(), CommandError> {
        let mut params = CertificateParams::new([name.to_owned(), "localhost".to_owned()])?;
        params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = self.now - Duration::hours(1);
        params.not_after = self.now + LIFE;
        let key = KeyPair::generate()?;
        let cert = params.signed_by(&key, &self.issuer)?;
        fs::write(dir.join("cert.pem"), cert.pem())?;
        write_secret(&dir.join("key.pem"), key.serialize_pem().as_bytes())?;
        Ok(())
    }
}
