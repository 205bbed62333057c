//! What the world sees of our mail: the records that receivers look up, and whether a letter's
//! signatures hold with the key that is published.

mod checks;

use std::net::SocketAddr;
use std::time::Duration;

use mail_auth::hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts,
};
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator};

pub use checks::{Check, Setup};

/// The fields that decide who wrote a message and how it is read.
const DECIDE: [&str; 2] = ["From", "Content-Type"];
/// Signatures of one message that are looked at, and for how long.
const SIGNATURES: usize = 3;
const LOOK: Duration = Duration::from_secs(10);

/// Looks from outside, through a resolver.
pub struct Outside {
    dns: MessageAuthenticator,
}

/// Why nobody can look from outside.
#[derive(Debug, thiserror::Error)]
#[error("the resolver can't be used: {0}")]
pub struct ResolverError(String);

/// Why a message does not stand from outside.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Receivers would not take it for ours.
    #[error("{0}")]
    Fails(String),
    /// The DNS does not answer: nobody knows.
    #[error("the DNS does not say: {0}")]
    Unknown(String),
}

impl Outside {
    /// Asks the DNS server at `resolver`, or else the system's.
    pub fn new(resolver: Option<SocketAddr>) -> Result<Self, ResolverError> {
        let dns = match resolver {
            None => MessageAuthenticator::new_system_conf(),
            Some(address) => {
                let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
                let mut server = NameServerConfig::udp_and_tcp(address.ip());
                server.connections = connections
                    .into_iter()
                    .map(|mut of| {
                        of.port = address.port();
                        of
                    })
                    .collect();
                let config = ResolverConfig::from_name_servers(vec![server]);
                MessageAuthenticator::new(config, ResolverOpts::default())
            }
        };
        dns.map(|dns| Self { dns }).map_err(|e| ResolverError(e.to_string()))
    }

    /// Checks every signature of a message with the key that is published; there must be
    /// `signatures` of them.
    pub async fn verify(&self, message: &[u8], signatures: usize) -> Result<(), VerifyError> {
        let unreadable = || VerifyError::Fails("the message can't be read".to_owned());
        let parsed = AuthenticatedMessage::parse(message).ok_or_else(unreadable)?;
        let outputs = self.dns.verify_dkim(&parsed).await;
        for output in &outputs {
            match output.result() {
                DkimResult::Pass => {}
                DkimResult::TempError(e) => return Err(VerifyError::Unknown(e.to_string())),
                other => {
                    let cause = format!("a DKIM signature does not hold: {other:?}");
                    return Err(VerifyError::Fails(cause));
                }
            }
        }
        if outputs.len() == signatures {
            Ok(())
        } else {
            let cause = format!("{} DKIM signatures instead of {signatures}", outputs.len());
            Err(VerifyError::Fails(cause))
        }
    }

    /// Whether a message comes from one of `senders`: the one address in its `From` is among them,
    /// and its domain, or one above, signed the message, with what says how it is to be read. `false`
    /// too where the DNS does not say. Nobody else's DNS is asked, and not for long.
    pub async fn comes_from(&self, message: &[u8], senders: &[String]) -> bool {
        if senders.is_empty() {
            return false;
        }
        let Some(mut parsed) = AuthenticatedMessage::parse(message) else { return false };
        let [from] = parsed.from.as_slice() else { return false };
        let Some((_, domain)) = from.rsplit_once('@') else { return false };
        let often = |name: &str| {
            let is = |of: &&(&[u8], &[u8])| of.0.trim_ascii().eq_ignore_ascii_case(name.as_bytes());
            parsed.headers.iter().filter(is).count()
        };
        if !senders.iter().any(|sender| sender.eq_ignore_ascii_case(from))
            || DECIDE.iter().any(|name| often(name) != 1)
        {
            return false;
        }
        let domain = domain.to_ascii_lowercase();
        parsed.dkim_headers.retain(|of| {
            let (by, signed) = (of.header.d.to_ascii_lowercase(), &of.header.h);
            let signs = |name: &&str| signed.iter().any(|of| of.eq_ignore_ascii_case(name));
            // All of the body, too.
            of.header.l == 0
                && by.contains('.')
                && checks::is_below(&domain, &by)
                && DECIDE.iter().all(signs)
        });
        parsed.dkim_headers.truncate(SIGNATURES);
        let looked = tokio::time::timeout(LOOK, self.dns.verify_dkim(&parsed)).await;
        let passed = |outputs: &Vec<mail_auth::DkimOutput<'_>>| {
            outputs.iter().any(|of| *of.result() == DkimResult::Pass && of.signature().is_some())
        };
        looked.is_ok_and(|outputs| passed(&outputs))
    }

    /// The exchanges of a domain, the preferred first; empty where there are none or nobody knows.
    pub async fn exchanges(&self, domain: &str) -> Vec<String> {
        let found = self.dns.mx_lookup(domain, None::<&checks::NoMx>).await;
        let Ok(found) = found else { return Vec::new() };
        let names = found.rrset.iter().flat_map(|mx| mx.exchanges.iter());
        names.map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect()
    }
}
