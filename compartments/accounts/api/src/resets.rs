//! Setting a new password with a code from the mailbox.

use cofferdam_core::{Call, CustomerNumber, Personal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Asks for a reset. If the address belongs to a customer, `accounts` itself mails a code to it.
/// The caller gets the same answer in any case, and never sees the code.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestReset {
    /// The address with which the customer signs in.
    #[schemars(extend("examples" = ["ada@post.example"]))]
    pub email: Personal,
}

impl Call for RequestReset {
    const PATH: &'static str = "/v1/resets/request";
    type Answer = ();
}

/// Sets a new password with the code from the mail. The code works once, for 30 minutes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteReset {
    /// The code, as typed from the mail.
    #[schemars(extend("examples" = ["7WXQ2-M40JR-V9TSK-3ZD8H"]))]
    pub code: Personal,
    /// The new password, 8 to 200 characters.
    #[schemars(extend("examples" = ["staple and more staple"]))]
    pub password: Personal,
}

impl Call for CompleteReset {
    const PATH: &'static str = "/v1/resets/complete";
    type Answer = CustomerNumber;
}

/// Reads this instance's load from sign-ins and resets. For the controller, which slows letters
/// down when many customers reset.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadResetLoad {}

/// The load of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResetLoad {
    /// The share of its capacity that this instance used over the last ten to twenty seconds, in
    /// percent. Password hashes limit the capacity.
    pub busy_percent: u8,
}

impl Call for ReadResetLoad {
    const PATH: &'static str = "/v1/reset-load/read";
    type Answer = ResetLoad;
}
