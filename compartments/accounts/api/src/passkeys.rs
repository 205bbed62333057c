//! Passkeys: customers add them while they are signed in, and sign in with them. `keys` verifies what a
//! passkey signs.

use cofferdam_core::{Assertion, Base64Url, Call, NewPasskey, Personal, ProblemType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problems::{BAD_CREDENTIALS, NO_SESSION, PASSKEY_TAKEN};
use crate::sessions::Session;

/// Adds a passkey of the customer who is signed in at the caller. The browser made it on the caller's
/// page, for a domain of the caller, and asked the customer's authenticator to verify its person.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPasskey {
    /// The token of the customer's session.
    #[schemars(extend("examples" = ["kq1bZ0v7X5gJm2Rr8sTt4uWw6yYz9aBc3dEf1gHi2jK"]))]
    pub session: Personal,
    /// The passkey's own name, by which it is found: `rawId` of the browser, 16 to 1,023 bytes.
    pub credential_id: Base64Url,
    /// The public part of the passkey.
    pub passkey: NewPasskey,
}

impl Call for AddPasskey {
    const PATH: &'static str = "/v1/passkeys/add";
    const PROBLEMS: &'static [ProblemType] = &[NO_SESSION, PASSKEY_TAKEN];
    type Answer = ();
}

/// Asks for a challenge, which a passkey signs to sign its customer in. The customer is not named: the
/// browser offers the passkeys that it has.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskPasskey {}

/// A challenge, and the session that its signature opens.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AskedPasskey {
    /// The bytes that the passkey signs, within five minutes: `challenge` of the browser's request.
    pub challenge: Base64Url,
    /// The token of the session. It opens nothing before [`AnswerPasskey`] brings the signature. Keep it in a
    /// cookie that only this host can set (`__Host-`): a thief who plants a token in a customer's browser shares
    /// the session that the customer opens.
    #[schemars(extend("examples" = ["kq1bZ0v7X5gJm2Rr8sTt4uWw6yYz9aBc3dEf1gHi2jK"]))]
    pub token: Personal,
}

impl Call for AskPasskey {
    const PATH: &'static str = "/v1/passkeys/ask";
    type Answer = AskedPasskey;
}

/// Answers a challenge with what the passkey signed, and opens the session at the caller. Each challenge
/// opens one session once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerPasskey {
    /// The token that came with the challenge.
    #[schemars(extend("examples" = ["kq1bZ0v7X5gJm2Rr8sTt4uWw6yYz9aBc3dEf1gHi2jK"]))]
    pub token: Personal,
    /// The passkey's own name: `rawId` of the browser.
    pub credential_id: Base64Url,
    /// The signature over the challenge.
    pub assertion: Assertion,
}

impl Call for AnswerPasskey {
    const PATH: &'static str = "/v1/passkeys/answer";
    const PROBLEMS: &'static [ProblemType] = &[BAD_CREDENTIALS];
    // A second instance would find the session open, and refuse.
    const ONCE: bool = true;
    type Answer = Session;
}
