//! What the world sees of our mail: the records that receivers look up, and whether a letter's
//! signatures hold with the key that is published.

mod checks;

use std::net::SocketAddr;

use mail_auth::hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts,
};
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator};

pub use checks::{Check, Setup};

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
    /// and its domain, or one above, signed the whole message. Other signatures are not looked at:
    /// nobody else's DNS is asked.
    pub async fn comes_from(
        &self,
        message: &[u8],
        senders: &[String],
    ) -> Result<bool, VerifyError> {
        let Some(mut parsed) = AuthenticatedMessage::parse(message) else { return Ok(false) };
        let [from] = parsed.from.as_slice() else { return Ok(false) };
        let Some((_, domain)) = from.rsplit_once('@') else { return Ok(false) };
        if !senders.iter().any(|sender| sender.eq_ignore_ascii_case(from)) {
            return Ok(false);
        }
        let domain = domain.to_ascii_lowercase();
        parsed.dkim_headers.retain(|of| {
            let whole = of.header.l == 0;
            whole && checks::is_below(&domain, &of.header.d.to_ascii_lowercase())
        });
        let outputs = self.dns.verify_dkim(&parsed).await;
        if outputs.iter().any(|of| *of.result() == DkimResult::Pass && of.signature().is_some()) {
            return Ok(true);
        }
        let unknown = outputs.iter().find_map(|of| match of.result() {
            DkimResult::TempError(e) => Some(VerifyError::Unknown(e.to_string())),
            _ => None,
        });
        unknown.map_or(Ok(false), Err)
    }

    /// The exchanges of a domain, the preferred first; empty where there are none or nobody knows.
    pub async fn exchanges(&self, domain: &str) -> Vec<String> {
        let found = self.dns.mx_lookup(domain, None::<&checks::NoMx>).await;
        let Ok(found) = found else { return Vec::new() };
        let names = found.rrset.iter().flat_map(|mx| mx.exchanges.iter());
        names.map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect()
    }
}
