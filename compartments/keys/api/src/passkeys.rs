//! Passkeys: `keys` certifies a customer's public key, and verifies what the customer signs. So root on a
//! compartment gets no ticket for a customer who does not sign.

use cofferdam_core::{
    Assertion, Base64Url, Call, CallerName, KeyBytes, NewPasskey, PasskeyAlgorithm, Record,
    RelyingParty, Sha256, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::presence::{NewSession, Presence, PresenceTicket};
use crate::problems::{NOT_PRESENT, RECORDS_SEALED};

/// Certifies the public key of a passkey that a customer added. `keys` sets the time.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolPasskey {
    /// The caller at which the customer added it.
    pub caller: CallerName,
    /// The reason why it may be set.
    pub on: PasskeyEnrolment,
    /// The customer whose passkey it is.
    pub record: Record,
    /// The public part of the passkey.
    pub passkey: NewPasskey,
}

/// The reason why a passkey may be set.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PasskeyEnrolment {
    /// The customer is new. `keys` knows the records that it gave keys for, and refuses others.
    SignUp,
    /// The compartment says that a reset code came back. The log marks it, and the budget of
    /// [`Operation::Attest`](cofferdam_core::Operation::Attest) bounds it as for passwords.
    Reset,
    /// The customer is signed in at the caller or its group.
    Present {
        /// The proof of it.
        presence: Presence,
    },
}

/// A passkey that `keys` certified.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Passkey {
    /// The public key: the DER of a `SubjectPublicKeyInfo`.
    pub public_key: Base64Url,
    /// The algorithm of its signatures.
    pub algorithm: PasskeyAlgorithm,
    /// The domain for which it was made.
    pub relying_party: RelyingParty,
    /// The instant at which it was set, in whole milliseconds, by the clock of `keys`.
    pub set_at: Timestamp,
    /// `HMAC-SHA-256(key, record ‖ set_at ‖ algorithm ‖ length of the public key ‖ public key ‖ relying
    /// party)`.
    pub mac: KeyBytes,
}

impl Call for EnrolPasskey {
    const PATH: &'static str = "/v1/passkeys/enrol";
    const PROBLEMS: &'static [cofferdam_core::ProblemType] = &[NOT_PRESENT, RECORDS_SEALED];
    type Answer = Passkey;
}

/// Asks for a challenge, which a passkey signs within five minutes. It is good for one session.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskPasskey {
    /// The caller at which the customer wants to sign in.
    pub caller: CallerName,
    /// SHA-256 of the secret of the session to open.
    pub session: Sha256,
}

/// A challenge. `keys` keeps none: the challenge itself tells when and for whom it was made.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasskeyChallenge {
    /// The instant in milliseconds, in eight bytes, and `HMAC-SHA-256(key, instant ‖ SHA-256(secret) ‖
    /// group)`.
    pub challenge: Base64Url,
}

impl Call for AskPasskey {
    const PATH: &'static str = "/v1/passkeys/ask";
    type Answer = PasskeyChallenge;
}

/// Verifies what a passkey signed. If it is right and not void, the compartment may open the session, and
/// gets the ticket for it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckPasskey {
    /// The caller at which the customer signs in.
    pub caller: CallerName,
    /// The customer; for an unknown passkey [`Record::NOBODY`], which is 4294967295.
    pub record: Record,
    /// The customer's passkey, as `keys` certified it. For nobody, any passkey.
    pub passkey: Passkey,
    /// The session to open, for whose secret the challenge was made.
    pub session: NewSession,
    /// The signature over the challenge.
    pub assertion: Assertion,
}

/// The result. There is one refusal, whatever is wrong.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckedPasskey {
    /// The ticket of the session; `None` if the passkey was refused.
    pub ticket: Option<PresenceTicket>,
}

impl Call for CheckPasskey {
    const PATH: &'static str = "/v1/passkeys/check";
    type Answer = CheckedPasskey;
}
