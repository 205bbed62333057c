//! The checks that must pass before the first letter leaves.

use std::net::IpAddr;

use mail_auth::common::cache::NoCache;
use mail_auth::common::verify::DomainKey;
use mail_auth::dmarc::{Dmarc, Policy};
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{MX, RecordSet, SpfResult, Txt};

use super::Outside;
use crate::{Connection, DkimKey, Relay};

pub type NoMx = NoCache<Box<str>, RecordSet<MX>>;
type NoTxt = NoCache<Box<str>, Txt>;
type NoPtr = NoCache<IpAddr, RecordSet<Box<str>>>;
type NoV4 = NoCache<Box<str>, RecordSet<std::net::Ipv4Addr>>;
type NoV6 = NoCache<Box<str>, RecordSet<std::net::Ipv6Addr>>;

/// The configuration with which letters are sent.
#[derive(Debug)]
pub struct Setup<'a> {
    /// The domain of the address in `From`.
    pub from_domain: &'a str,
    /// An address for bounces. SPF applies to its domain.
    pub bounces_to: &'a str,
    /// The name with which the sending host greets other mail servers.
    pub helo: &'a str,
    /// The IP addresses from which mail leaves for other mail servers.
    pub sends_from: &'a [IpAddr],
    /// The keys with which this process signs; empty if the relay signs.
    pub keys: &'a [DkimKey],
    /// Domain and selector of the key with which the relay signs, if it does.
    pub relay_key: Option<(&'a str, &'a str)>,
    /// The relays that take the letters.
    pub relays: &'a [Relay],
    /// A sample letter, signed with `keys`.
    pub sample: &'a [u8],
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The subject of the check, such as `SPF of 192.0.2.1`.
    pub what: String,
    /// Whether the check passed.
    pub passed: bool,
    /// The finding, for an operator to read.
    pub found: String,
}

impl Check {
    fn new(what: impl Into<String>, found: Result<String, String>) -> Self {
        let passed = found.is_ok();
        let (Ok(found) | Err(found)) = found;
        Self { what: what.into(), passed, found }
    }
}

impl Outside {
    /// Makes every check, even after one has failed, so that an operator sees all faults at once.
    pub async fn check(&self, setup: &Setup<'_>) -> Vec<Check> {
        let mut checks = Vec::new();
        if setup.sends_from.is_empty() {
            let none = "no sending address is configured".to_owned();
            checks.push(Check::new("sending addresses", Err(none)));
        }
        for ip in setup.sends_from {
            checks.push(Check::new(format!("SPF of {ip}"), self.check_spf(*ip, setup).await));
            let name = format!("reverse DNS of {ip}");
            checks.push(Check::new(name, self.check_reverse(*ip).await));
        }
        checks.push(Check::new(
            "DKIM alignment",
            check_alignment(setup.from_domain, &signing_domains(setup)),
        ));
        checks.push(Check::new("DKIM keys", self.check_dkim(setup).await));
        checks.push(Check::new("DMARC policy", self.check_dmarc(setup.from_domain).await));
        for relay in setup.relays {
            let name = format!("TLS to the relay {}", relay.address());
            checks.push(Check::new(name, check_tls(relay, setup.helo).await));
        }
        checks
    }

    async fn check_spf(&self, ip: IpAddr, setup: &Setup<'_>) -> Result<String, String> {
        let sender = SpfParameters::verify_mail_from(ip, setup.helo, setup.helo, setup.bounces_to);
        let found = self.dns.verify_spf(sender).await;
        match found.result() {
            SpfResult::Pass => Ok("pass".to_owned()),
            other => Err(format!(
                "{}; add the address to the SPF record of the domain of {}",
                format!("{other:?}").to_lowercase(),
                setup.bounces_to
            )),
        }
    }

    /// Checks that a name of the address resolves to the address again.
    async fn check_reverse(&self, ip: IpAddr) -> Result<String, String> {
        let names = self.dns.ptr_lookup(ip, None::<&NoPtr>).await;
        let names = names.map_err(|e| format!("no PTR record: {e}"))?;
        for name in names.rrset.iter() {
            let forward = match ip {
                IpAddr::V4(ip) => {
                    let found = self.dns.ipv4_lookup(name.as_ref(), None::<&NoV4>).await;
                    found.is_ok_and(|found| found.rrset.contains(&ip))
                }
                IpAddr::V6(ip) => {
                    let found = self.dns.ipv6_lookup(name.as_ref(), None::<&NoV6>).await;
                    found.is_ok_and(|found| found.rrset.contains(&ip))
                }
            };
            if forward {
                return Ok(name.to_string());
            }
        }
        Err("no name of the address resolves to the address".to_owned())
    }

    async fn check_dkim(&self, setup: &Setup<'_>) -> Result<String, String> {
        if let Some((domain, selector)) = setup.relay_key {
            let name = format!("{selector}._domainkey.{domain}.");
            let found = self.dns.txt_lookup::<DomainKey>(name.clone(), None::<&NoTxt>).await;
            return found.map(|_| name.clone()).map_err(|e| format!("no key at {name}: {e}"));
        }
        if setup.keys.is_empty() {
            return Err("no DKIM key is configured, neither here nor for the relay".to_owned());
        }
        self.verify(setup.sample, setup.keys.len()).await.map_err(|e| e.to_string())?;
        Ok(format!("{} signatures verify with the published keys", setup.keys.len()))
    }

    async fn check_dmarc(&self, from_domain: &str) -> Result<String, String> {
        let mut domain = from_domain;
        loop {
            let name = format!("_dmarc.{domain}.");
            if let Ok(found) = self.dns.txt_lookup::<Dmarc>(name, None::<&NoTxt>).await {
                return match found.p {
                    Policy::Quarantine | Policy::Reject => {
                        Ok(format!("{:?} at {domain}", found.p).to_lowercase())
                    }
                    _ => Err(format!("the policy at _dmarc.{domain} lets forgeries through")),
                };
            }
            // A parent domain may have the record, but not a top-level domain.
            match domain.split_once('.') {
                Some((_, parent)) if parent.contains('.') => domain = parent,
                _ => return Err(format!("no DMARC record at _dmarc.{from_domain}")),
            }
        }
    }
}

fn signing_domains<'a>(setup: &'a Setup<'_>) -> Vec<&'a str> {
    match setup.relay_key {
        Some((domain, _)) => vec![domain],
        None => setup.keys.iter().map(DkimKey::domain).collect(),
    }
}

/// Checks relaxed alignment (RFC 7489, section 3.1.1): a signing domain equals the domain of
/// `From`, or one of the two is a subdomain of the other.
fn check_alignment(from: &str, signers: &[&str]) -> Result<String, String> {
    let found = signers.iter().find(|signer| is_below(from, signer) || is_below(signer, from));
    match found {
        Some(signer) => Ok(format!("{signer} signs for {from}")),
        None => Err(format!("no key signs for {from}")),
    }
}

/// Whether `domain` equals `other` or is a subdomain of it.
pub fn is_below(domain: &str, other: &str) -> bool {
    domain == other || domain.strip_suffix(other).is_some_and(|rest| rest.ends_with('.'))
}

async fn check_tls(relay: &Relay, helo: &str) -> Result<String, String> {
    let connection = Connection::open(relay, helo).await.map_err(|e| e.to_string())?;
    let encrypted = connection.is_encrypted();
    connection.close().await;
    if encrypted {
        Ok("encrypted, with a trusted certificate".to_owned())
    } else if relay.is_local() {
        Ok("not encrypted, but on this machine".to_owned())
    } else {
        Err("the connection is not encrypted, and the relay is not on this machine".to_owned())
    }
}
