//! The receivers' view of our letters, through the DNS.

use async_trait::async_trait;
use cofferdam_mail::{Outside, VerifyError};
use response_mailing::Receivers;

/// Checks letters as a receiver would.
pub struct DnsReceivers {
    /// The resolver of DNS look-ups.
    pub outside: Outside,
    /// The number of signatures that a letter must have; 0 if the relay signs.
    pub signatures: usize,
}

impl DnsReceivers {
    /// Whether one of `senders` signed a message.
    pub async fn comes_from(&self, message: &[u8], senders: &[String]) -> bool {
        self.outside.comes_from(message, senders).await
    }
}

#[async_trait]
impl Receivers for DnsReceivers {
    async fn exchanges(&self, domain: &str) -> Vec<String> {
        self.outside.exchanges(domain).await
    }

    async fn verify(&self, message: &[u8]) -> Result<(), VerifyError> {
        if self.signatures == 0 {
            // A signature that the relay adds can't be checked before the relay has the letter.
            return Ok(());
        }
        self.outside.verify(message, self.signatures).await
    }
}
