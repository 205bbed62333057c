//! The calls of a compartment to `keys` about passkeys.

use cofferdam_core::{Assertion, Base64Url, CallerName, NewPasskey, Record, Sha256};
use keys_api::{
    AskPasskey, CheckPasskey, EnrolPasskey, NewSession, Passkey, PasskeyEnrolment, PresenceTicket,
};

use crate::{Vault, VaultError};

/// A passkey and what it signed.
#[derive(Debug)]
pub struct ShownPasskey {
    /// The customer; [`Record::NOBODY`] for an unknown passkey.
    pub record: Record,
    /// The passkey, as `keys` certified it.
    pub passkey: Passkey,
    /// The signature over the challenge.
    pub assertion: Assertion,
}

impl Vault {
    /// Has `keys` certify a passkey that a customer added.
    pub async fn enrol_passkey(
        &self,
        caller: &CallerName,
        on: PasskeyEnrolment,
        record: Record,
        passkey: NewPasskey,
    ) -> Result<Passkey, VaultError> {
        let call = EnrolPasskey { caller: caller.clone(), on, record, passkey };
        Ok(self.client().call(&call).await?)
    }

    /// Asks for a challenge to the passkeys of whoever wants to open the session of a secret, of which
    /// `session` is the SHA-256.
    pub async fn ask_passkey(
        &self,
        caller: &CallerName,
        session: Sha256,
    ) -> Result<Base64Url, VaultError> {
        let call = AskPasskey { caller: caller.clone(), session };
        Ok(self.client().call(&call).await?.challenge)
    }

    /// Has `keys` verify what a passkey signed, and give the ticket of the session. `None` if it is
    /// refused.
    pub async fn check_passkey(
        &self,
        caller: &CallerName,
        shown: ShownPasskey,
        session: NewSession,
    ) -> Result<Option<PresenceTicket>, VaultError> {
        let ShownPasskey { record, passkey, assertion } = shown;
        let call = CheckPasskey { caller: caller.clone(), record, passkey, session, assertion };
        Ok(self.client().call(&call).await?.ticket)
    }
}
