//! Our mail as receivers see it: the DNS records that they look up, and whether a message's
//! signatures verify with the published keys.

mod checks;

use std::net::SocketAddr;
use std::time::Duration;

use mail_auth::hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts,
};
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator};

pub use checks::{Check, Setup};

/// The fields that determine a message's author and how its body is parsed.
const DECISIVE: [&str; 2] = ["From", "Content-Type"];
/// The largest number of signatures of one incoming message that are verified.
const SIGNATURES: usize = 3;
/// The longest time for verifying one incoming message.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Checks mail as a receiver would, through a DNS resolver.
pub struct Outside {
    dns: MessageAuthenticator,
}

/// The DNS resolver can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the resolver can't be used: {0}")]
pub struct ResolverError(String);

/// The signatures of a message could not be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A receiver would not accept the message as ours.
    #[error("{0}")]
    Fails(String),
    /// The DNS does not answer, so the result is unknown.
    #[error("the DNS does not answer: {0}")]
    Unknown(String),
}

impl Outside {
    /// Uses the DNS server at `resolver`, or the system's resolvers if there is none.
    pub fn new(resolver: Option<SocketAddr>) -> Result<Self, ResolverError> {
        let dns = match resolver {
            None => MessageAuthenticator::new_system_conf(),
            Some(address) => {
                let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
                let mut server = NameServerConfig::udp_and_tcp(address.ip());
                server.connections = connections
                    .into_iter()
                    .map(|mut connection| {
                        connection.port = address.port();
                        connection
                    })
                    .collect();
                let config = ResolverConfig::from_name_servers(vec![server]);
                MessageAuthenticator::new(config, ResolverOpts::default())
            }
        };
        dns.map(|dns| Self { dns }).map_err(|e| ResolverError(e.to_string()))
    }

    /// Verifies every signature of a message with the published keys. The message must have exactly
    /// `signatures` of them.
    pub async fn verify(&self, message: &[u8], signatures: usize) -> Result<(), VerifyError> {
        let unreadable = || VerifyError::Fails("the message can't be parsed".to_owned());
        let parsed = AuthenticatedMessage::parse(message).ok_or_else(unreadable)?;
        let outputs = self.dns.verify_dkim(&parsed).await;
        for output in &outputs {
            match output.result() {
                DkimResult::Pass => {}
                DkimResult::TempError(e) => return Err(VerifyError::Unknown(e.to_string())),
                other => {
                    let cause = format!("a DKIM signature does not verify: {other:?}");
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

    /// Whether a message comes from one of `senders`. Its only address in `From` must be among
    /// them, and that address's domain or a parent domain must have signed the whole body and all
    /// decisive fields. Returns `false` if the DNS does not answer within ten seconds. Only the DNS
    /// of the senders' domains is asked, so that a stranger's message can't choose what is looked
    /// up.
    pub async fn comes_from(&self, message: &[u8], senders: &[String]) -> bool {
        if senders.is_empty() {
            return false;
        }
        let Some(mut parsed) = AuthenticatedMessage::parse(message) else { return false };
        let [from] = parsed.from.as_slice() else { return false };
        let Some((_, domain)) = from.rsplit_once('@') else { return false };
        let count = |name: &str| {
            let has_name = |field: &&(&[u8], &[u8])| {
                field.0.trim_ascii().eq_ignore_ascii_case(name.as_bytes())
            };
            parsed.headers.iter().filter(has_name).count()
        };
        if !senders.iter().any(|sender| sender.eq_ignore_ascii_case(from))
            || DECISIVE.iter().any(|name| count(name) != 1)
        {
            return false;
        }
        let domain = domain.to_ascii_lowercase();
        parsed.dkim_headers.retain(|signature| {
            let header = &signature.header;
            let signer = header.d.to_ascii_lowercase();
            let covers =
                |name: &&str| header.h.iter().any(|field| field.eq_ignore_ascii_case(name));
            // A length (`l=`) would leave the end of the body unsigned.
            header.l == 0
                && signer.contains('.')
                && checks::is_below(&domain, &signer)
                && DECISIVE.iter().all(covers)
        });
        parsed.dkim_headers.truncate(SIGNATURES);
        let verified = tokio::time::timeout(TIMEOUT, self.dns.verify_dkim(&parsed)).await;
        let passed = |outputs: &Vec<mail_auth::DkimOutput<'_>>| {
            outputs
                .iter()
                .any(|output| *output.result() == DkimResult::Pass && output.signature().is_some())
        };
        verified.is_ok_and(|outputs| passed(&outputs))
    }

    /// The mail exchanges of a domain, the preferred first. Empty if there are none or the DNS does
    /// not answer.
    pub async fn exchanges(&self, domain: &str) -> Vec<String> {
        let found = self.dns.mx_lookup(domain, None::<&checks::NoMx>).await;
        let Ok(found) = found else { return Vec::new() };
        let names = found.rrset.iter().flat_map(|mx| mx.exchanges.iter());
        names.map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect()
    }
}
