//! What must hold before the first letter leaves.

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

/// How letters are sent.
#[derive(Debug)]
pub struct Setup<'a> {
    /// The domain in `From`.
    pub from_domain: &'a str,
    /// An address that bounces go to: its domain is the one that SPF is about.
    pub bounces_to: &'a str,
    /// What the sending host calls itself.
    pub helo: &'a str,
    /// The addresses from which mail leaves for the world.
    pub sends_from: &'a [IpAddr],
    /// The keys that sign here; none where the relay signs.
    pub keys: &'a [DkimKey],
    /// Domain and selector of the key with which the relay signs.
    pub relay_key: Option<(&'a str, &'a str)>,
    /// Where letters are handed over.
    pub relays: &'a [Relay],
    /// A letter as it would be sent, signed with `keys`.
    pub sample: &'a [u8],
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What, as `SPF of 192.0.2.1`.
    pub what: String,
    /// Whether it is as it should be.
    pub passed: bool,
    /// What was found.
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
    /// Looks at everything, so that all that is wrong shows at once.
    pub async fn check(&self, setup: &Setup<'_>) -> Vec<Check> {
        let mut checks = Vec::new();
        if setup.sends_from.is_empty() {
            let none = "no address is configured from which mail leaves".to_owned();
            checks.push(Check::new("sending addresses", Err(none)));
        }
        for ip in setup.sends_from {
            checks.push(Check::new(format!("SPF of {ip}"), self.spf(*ip, setup).await));
            let name = format!("reverse DNS of {ip}");
            checks.push(Check::new(name, self.confirmed_reverse(*ip).await));
        }
        checks.push(Check::new(
            "DKIM alignment",
            aligned(setup.from_domain, &signing_domains(setup)),
        ));
        checks.push(Check::new("DKIM keys", self.dkim(setup).await));
        checks.push(Check::new("DMARC policy", self.dmarc(setup.from_domain).await));
        for relay in setup.relays {
            let name = format!("TLS to the relay {}", relay.address());
            checks.push(Check::new(name, tls(relay, setup.helo).await));
        }
        checks
    }

    async fn spf(&self, ip: IpAddr, setup: &Setup<'_>) -> Result<String, String> {
        let of = SpfParameters::verify_mail_from(ip, setup.helo, setup.helo, setup.bounces_to);
        let found = self.dns.verify_spf(of).await;
        match found.result() {
            SpfResult::Pass => Ok("pass".to_owned()),
            other => Err(format!(
                "{}; add the address to the SPF record of the domain of {}",
                format!("{other:?}").to_lowercase(),
                setup.bounces_to
            )),
        }
    }

    /// The name of the address leads back to it.
    async fn confirmed_reverse(&self, ip: IpAddr) -> Result<String, String> {
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
        Err("no name of the address leads back to it".to_owned())
    }

    async fn dkim(&self, setup: &Setup<'_>) -> Result<String, String> {
        if let Some((domain, selector)) = setup.relay_key {
            let name = format!("{selector}._domainkey.{domain}.");
            let found = self.dns.txt_lookup::<DomainKey>(name.clone(), None::<&NoTxt>).await;
            return found.map(|_| name.clone()).map_err(|e| format!("{name} is no key: {e}"));
        }
        if setup.keys.is_empty() {
            return Err("nobody signs: no key here, and none named of the relay's".to_owned());
        }
        self.verify(setup.sample, setup.keys.len()).await.map_err(|e| e.to_string())?;
        Ok(format!("{} signatures hold with the published keys", setup.keys.len()))
    }

    async fn dmarc(&self, domain: &str) -> Result<String, String> {
        let mut of = domain;
        loop {
            let name = format!("_dmarc.{of}.");
            if let Ok(found) = self.dns.txt_lookup::<Dmarc>(name, None::<&NoTxt>).await {
                return match found.p {
                    Policy::Quarantine | Policy::Reject => {
                        Ok(format!("{:?} at {of}", found.p).to_lowercase())
                    }
                    _ => Err(format!("the policy at _dmarc.{of} lets forgeries through")),
                };
            }
            // The record may stand at a domain above, but not at a top-level one.
            match of.split_once('.') {
                Some((_, above)) if above.contains('.') => of = above,
                _ => return Err(format!("no DMARC record at _dmarc.{domain}")),
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

/// Relaxed alignment (RFC 7489, section 3.1.1): the same domain, or one below the other.
fn aligned(from: &str, signers: &[&str]) -> Result<String, String> {
    let found = signers.iter().find(|by| is_below(from, by) || is_below(by, from));
    match found {
        Some(by) => Ok(format!("{by} signs for {from}")),
        None => Err(format!("no key signs for {from}")),
    }
}

/// Whether a domain is another, or lies below it.
pub fn is_below(domain: &str, other: &str) -> bool {
    domain == other || domain.strip_suffix(other).is_some_and(|rest| rest.ends_with('.'))
}

async fn tls(relay: &Relay, helo: &str) -> Result<String, String> {
    let connection = Connection::open(relay, helo).await.map_err(|e| e.to_string())?;
    let encrypted = connection.is_encrypted();
    connection.close().await;
    if encrypted {
        Ok("encrypted, with a certificate that holds".to_owned())
    } else if relay.is_local() {
        Ok("on this machine".to_owned())
    } else {
        Err("letters would travel unencrypted".to_owned())
    }
}
