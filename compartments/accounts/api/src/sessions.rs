//! Sessions: opened with a password or a passkey, and valid at one caller, or at the callers of its group.

use cofferdam_core::{Call, CustomerNumber, Personal, ProblemType, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problems::{BAD_CREDENTIALS, NO_SESSION};

/// Checks a password and opens a session at the caller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenSession {
    /// The address with which the customer signs in.
    #[schemars(extend("examples" = ["ada@post.example"]))]
    pub email: Personal,
    /// The password as typed.
    #[schemars(extend("examples" = ["correct horse battery"]))]
    pub password: Personal,
}

/// A session. It is valid at the caller that opened it, and at the others of its group.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// The customer's number.
    pub record: CustomerNumber,
    /// The secret that stands for the session, 43 characters.
    #[schemars(extend("examples" = ["kq1bZ0v7X5gJm2Rr8sTt4uWw6yYz9aBc3dEf1gHi2jK"]))]
    pub token: Personal,
    /// The instant at which the session ends.
    pub expires: Timestamp,
}

impl Call for OpenSession {
    const PATH: &'static str = "/v1/sessions/open";
    const PROBLEMS: &'static [ProblemType] = &[BAD_CREDENTIALS];
    type Answer = Session;
}

/// Finds the customer of a session. It must have been opened at the same caller, or at one of its group.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckSession {
    /// The session token, as [`OpenSession`] gave it.
    #[schemars(extend("examples" = ["kq1bZ0v7X5gJm2Rr8sTt4uWw6yYz9aBc3dEf1gHi2jK"]))]
    pub token: Personal,
}

impl Call for CheckSession {
    const PATH: &'static str = "/v1/sessions/check";
    const PROBLEMS: &'static [ProblemType] = &[NO_SESSION];
    type Answer = CustomerNumber;
}

/// Ends a session that is valid at the caller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseSession {
    /// The session token, as [`OpenSession`] gave it.
    #[schemars(extend("examples" = ["kq1bZ0v7X5gJm2Rr8sTt4uWw6yYz9aBc3dEf1gHi2jK"]))]
    pub token: Personal,
}

impl Call for CloseSession {
    const PATH: &'static str = "/v1/sessions/close";
    const PROBLEMS: &'static [ProblemType] = &[NO_SESSION];
    type Answer = ();
}
