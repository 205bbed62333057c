//! The estate's certificate authority and the certificates that it signs.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use cofferdam_core::{CallerName, Compartment, Timestamp};
use cofferdam_wire::{read_secret, write_secret};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

use crate::EstateError;
use crate::plan::identity;

/// The time for which a certificate is valid.
const VALIDITY: Duration = Duration::days(825);
/// The time by which the clock of another machine may be behind.
const SKEW: Duration = Duration::hours(1);

/// An authority that certifies callers and compartments and no other authorities.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    now: OffsetDateTime,
}

impl Authority {
    /// Makes an authority. Its files are `dir/ca.pem` and `dir/ca.key`.
    pub fn create(dir: &Path, now: Timestamp) -> Result<Self, EstateError> {
        let now = OffsetDateTime::from_unix_timestamp(now.as_second())?;
        let (params, key) = (params(now), KeyPair::generate()?);
        write(&dir.join("ca.pem"), &params.self_signed(&key)?.pem())?;
        write_secret(&dir.join("ca.key"), key.serialize_pem().as_bytes())?;
        Ok(Self { issuer: Issuer::new(params, key), now })
    }

    /// Opens the authority in `dir`, to sign further certificates.
    pub fn open(dir: &Path, now: Timestamp) -> Result<Self, EstateError> {
        let now = OffsetDateTime::from_unix_timestamp(now.as_second())?;
        let pem = read_secret(&dir.join("ca.key"))?;
        let key = KeyPair::from_pem(&String::from_utf8_lossy(&pem))?;
        Ok(Self { issuer: Issuer::new(params(now), key), now })
    }

    /// Certifies a caller, as a client only. The files are `dir/cert.pem` and `dir/key.pem`.
    pub fn certify_caller(&self, name: &CallerName, dir: &Path) -> Result<(), EstateError> {
        let mut params = CertificateParams::new([name.to_string()])?;
        params.distinguished_name.push(DnType::CommonName, name.as_str());
        self.certify(params, vec![ExtendedKeyUsagePurpose::ClientAuth], dir)
    }

    /// Certifies a compartment, as a server and as a client. Its clients ask for its server name;
    /// `localhost` is for public tools, which ask for the host.
    pub fn certify_compartment(&self, of: Compartment, dir: &Path) -> Result<(), EstateError> {
        let names = [identity(of).to_string(), of.server_name().into(), "localhost".into()];
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, of.as_str());
        params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let both = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        self.certify(params, both, dir)
    }

    fn certify(
        &self,
        mut params: CertificateParams,
        uses: Vec<ExtendedKeyUsagePurpose>,
        dir: &Path,
    ) -> Result<(), EstateError> {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = uses;
        params.not_before = self.now - SKEW;
        params.not_after = self.now + VALIDITY;
        let key = KeyPair::generate()?;
        let cert = params.signed_by(&key, &self.issuer)?;
        let [new_cert, new_key] = ["cert.pem.new", "key.pem.new"].map(|name| dir.join(name));
        write(&new_cert, &cert.pem())?;
        // An interrupted run may have left one.
        let _ = fs::remove_file(&new_key);
        write_secret(&new_key, key.serialize_pem().as_bytes())?;
        // A running process uses the new files once both are in place and belong together.
        for (new, name) in [(new_key, "key.pem"), (new_cert, "cert.pem")] {
            fs::rename(&new, dir.join(name)).map_err(EstateError::file(&new))?;
        }
        Ok(())
    }
}

/// The authority's own certificate. Only its times differ from one run to the next.
fn params(now: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Cofferdam estate authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = now - SKEW;
    params.not_after = now + VALIDITY;
    params
}

fn write(path: &Path, text: &str) -> Result<(), EstateError> {
    fs::write(path, text).map_err(EstateError::file(path))
}
