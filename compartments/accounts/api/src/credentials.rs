//! Signing in, sessions, resets.

use cofferdam_core::{Call, Personal, Record, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Checks a password and opens a session at the caller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenSession {
    /// The address to sign in with.
    pub email: Personal,
    /// The password as typed.
    pub password: Personal,
}

/// A session. It is worth something only at the caller that opened it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// Whose.
    pub record: Record,
    /// The secret that stands for it, 43 characters.
    pub token: Personal,
    /// Until when.
    pub expires: Timestamp,
}

impl Call for OpenSession {
    const PATH: &'static str = "/v1/sessions/open";
    type Answer = Session;
}

/// Asks whose session a token is.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckSession {
    /// The token.
    pub token: Personal,
}

impl Call for CheckSession {
    const PATH: &'static str = "/v1/sessions/check";
    type Answer = Record;
}

/// Ends a session.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseSession {
    /// The token.
    pub token: Personal,
}

impl Call for CloseSession {
    const PATH: &'static str = "/v1/sessions/close";
    type Answer = ();
}

/// Checks a password without opening a session, as before a sensitive step.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckPassword {
    /// The address to sign in with.
    pub email: Personal,
    /// The password as typed.
    pub password: Personal,
}

impl Call for CheckPassword {
    const PATH: &'static str = "/v1/credentials/check";
    type Answer = Record;
}

/// Asks for a reset: if the address belongs to a customer, `accounts` itself mails a code there.
/// The caller gets the same answer either way, and never sees the code.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestReset {
    /// The address.
    pub email: Personal,
}

impl Call for RequestReset {
    const PATH: &'static str = "/v1/resets/request";
    type Answer = ();
}

/// Asks how busy those pages are on which customers sign in and set new passwords.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadResetLoad {}

/// How busy they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResetLoad {
    /// Of what this instance can do at most, in percent, over the last ten to twenty seconds:
    /// password hashes are what limits it.
    pub busy_percent: u8,
}

impl Call for ReadResetLoad {
    const PATH: &'static str = "/v1/resets/load";
    type Answer = ResetLoad;
}

/// Sets a new password with the code from the mail. The code works once, for 30 minutes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteReset {
    /// The code.
    pub code: Personal,
    /// The new password, 8 to 200 characters.
    pub password: Personal,
}

impl Call for CompleteReset {
    const PATH: &'static str = "/v1/resets/complete";
    type Answer = Record;
}
