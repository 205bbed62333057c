//! Password verifiers: keyed hashes whose key, the pepper, never leaves `keys`. `keys` makes them, and
//! `keys` compares them.

use cofferdam_core::{Call, CallerName, KeyBytes, Record, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::addresses::Ticket;
use crate::presence::{NewSession, PresenceTicket};
use crate::problems::RECORDS_SEALED;

/// Compares the password that somebody typed with a customer's verifier. If the password is right and
/// not void, the compartment may open a session, and gets the ticket for it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckPassword {
    /// The caller at which the password was typed.
    pub caller: CallerName,
    /// The customer; for an unknown address [`Record::NOBODY`], which is 4294967295.
    pub record: Record,
    /// 32 bytes made from the typed password: the output of Argon2id, or a digest of a legacy hash.
    pub hash: KeyBytes,
    /// The customer's verifier. For nobody, any bytes.
    pub stored: Verifier,
    /// 32 bytes made from the typed password by the scheme of new passwords, if `hash` is of another one.
    #[serde(default)]
    pub renew: Option<KeyBytes>,
    /// The session to open; `None` to check the password alone.
    #[serde(default)]
    pub session: Option<NewSession>,
    /// The ticket of the look-up that found the customer: then no
    /// [`NoteAddresses`](crate::NoteAddresses) is needed.
    #[serde(default)]
    pub looked_up: Option<Ticket>,
}

/// A verifier, and the instant that it is bound to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verifier {
    /// `HMAC-SHA-256(key, record ‖ set_at ‖ hash)`. A verifier from before `keys` set the time is
    /// `HMAC-SHA-256(pepper, record ‖ hash)`.
    pub bytes: KeyBytes,
    /// The instant at which the password was set, in whole milliseconds, by the clock of `keys`.
    pub set_at: Timestamp,
}

/// The result of a comparison. There is one refusal for a wrong password, a void one and nobody.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct CheckedPassword {
    /// The answer to the right password; `None` if the password was refused.
    pub right: Option<RightPassword>,
}

/// The answer of `keys` to the right password.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct RightPassword {
    /// The verifier that replaces the stored one, if that is of an older kind.
    pub renewed: Option<Verifier>,
    /// The ticket of the session.
    pub ticket: Option<PresenceTicket>,
}

impl Call for CheckPassword {
    const PATH: &'static str = "/v1/passwords/check";
    const COMPACT: bool = true;
    type Answer = CheckedPassword;
}

/// Makes the verifiers of passwords that were set. `keys` sets the time.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolPasswords {
    /// The caller at which the passwords were typed.
    pub caller: CallerName,
    /// The reason why the passwords may be set.
    pub on: Enrolment,
    /// The hashes, one to [`MAX_BATCH`](crate::MAX_BATCH); no customer is named twice.
    #[schemars(length(min = 1, max = crate::MAX_BATCH))]
    pub items: Vec<EnrolItem>,
}

/// The reason why a password may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Enrolment {
    /// The customers are new. `keys` knows the records that it gave keys for, and refuses others.
    SignUp,
    /// The compartment says that a reset code came back. The log marks it, and the budget of
    /// [`Operation::Attest`](cofferdam_core::Operation::Attest) bounds it, except for customers whose
    /// passwords a signed void order of the last thirty days covers.
    Reset,
}

/// A password hash to enrol.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolItem {
    /// The customer whose password it is.
    pub record: Record,
    /// 32 bytes made from the password: the output of Argon2id, or a digest of a legacy hash.
    pub hash: KeyBytes,
}

/// The verifiers of the password hashes.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct EnrolledPasswords {
    /// The instant that the verifiers are bound to, in whole milliseconds.
    pub set_at: Timestamp,
    /// The verifiers, in the order of the hashes.
    pub verifiers: Vec<KeyBytes>,
}

impl Call for EnrolPasswords {
    const PATH: &'static str = "/v1/passwords/enrol";
    const COMPACT: bool = true;
    const PROBLEMS: &'static [cofferdam_core::ProblemType] = &[RECORDS_SEALED];
    type Answer = EnrolledPasswords;
}
