//! The certificates of an estate's callers and compartments.

use std::fs;
use std::path::Path;

use cofferdam_core::{CallerName, CertificateChain, Compartment, Timestamp};
use cofferdam_wire::{certificate_chain, dns_names};

use crate::authority::Authority;
use crate::create::private_dir;
use crate::plan::{CALLERS, caller};
use crate::{Estate, EstateError};

/// Makes an authority and a certificate for each caller and compartment, in directories of `dir`
/// that have none yet.
pub fn make_certificates(dir: &Path, now: Timestamp) -> Result<(), EstateError> {
    let authority = Authority::create(&private_dir(dir.join("ca"))?, now)?;
    for name in CALLERS {
        let own = private_dir(dir.join("callers").join(name))?;
        authority.certify_caller(&caller(name), &own)?;
    }
    for compartment in Compartment::ALL {
        let own = private_dir(dir.join(compartment.as_str()).join("tls"))?;
        authority.certify_compartment(compartment, &own)?;
    }
    Ok(())
}

/// Issues every certificate again that an earlier version made for clients and servers alike.
/// Returns the directories of those.
pub fn renew_outdated(estate: &Estate, now: Timestamp) -> Result<Vec<String>, EstateError> {
    let mut renewed = Vec::new();
    // The authority's key may be kept elsewhere while no certificate has to be issued.
    let authority = || Authority::open(&estate.dir.join("ca"), now);
    for of in Compartment::ALL {
        let own = estate.dir.join(of.as_str()).join("tls");
        if !dns_names(&own.join("cert.pem"))?.iter().any(|name| name == of.server_name()) {
            authority()?.certify_compartment(of, &own)?;
            renewed.push(of.to_string());
        }
    }
    for name in callers(estate)? {
        let own = estate.dir.join("callers").join(name.as_str());
        if dns_names(&own.join("cert.pem"))?.iter().any(|name| name == "localhost") {
            authority()?.certify_caller(&name, &own)?;
            renewed.push(name.to_string());
        }
    }
    Ok(renewed)
}

/// The file of a caller's certificate before the last one.
pub const OLD_CERTIFICATE: &str = "cert.old.pem";

/// Makes a new key and a new certificate for a caller. Returns its old certificate, whose key is in
/// force until it is revoked. It stays in the file [`OLD_CERTIFICATE`].
pub fn renew_caller(
    estate: &Estate,
    name: &CallerName,
    now: Timestamp,
) -> Result<CertificateChain, EstateError> {
    // Names the callers that there are, if this is none of them.
    estate.identity(name)?;
    let own = estate.dir.join("callers").join(name.as_str());
    let (cert, kept) = (own.join("cert.pem"), own.join(OLD_CERTIFICATE));
    let old = certificate_chain(&cert)?;
    fs::copy(&cert, &kept).map_err(EstateError::file(&kept))?;
    Authority::open(&estate.dir.join("ca"), now)?.certify_caller(name, &own)?;
    Ok(old)
}

/// The callers with a directory.
fn callers(estate: &Estate) -> Result<Vec<CallerName>, EstateError> {
    let dir = estate.dir.join("callers");
    let entries = fs::read_dir(&dir).map_err(EstateError::file(&dir))?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    // A directory with another name is not ours.
    let mut callers: Vec<CallerName> = names.filter_map(|name| name.parse().ok()).collect();
    callers.sort_unstable();
    Ok(callers)
}

#[cfg(test)]
mod tests;
