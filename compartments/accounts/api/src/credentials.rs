//! Passwords: checking one, and voiding many by one order.

use cofferdam_core::{Call, CustomerNumber, Personal, ProblemType, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problems::{BAD_CREDENTIALS, VOID_TAKES_TWO};

/// Checks a password without opening a session, for example before a sensitive step.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckPassword {
    /// The address with which the customer signs in.
    #[schemars(extend("examples" = ["ada@post.example"]))]
    pub email: Personal,
    /// The password as typed.
    #[schemars(extend("examples" = ["correct horse battery"]))]
    pub password: Personal,
}

impl Call for CheckPassword {
    const PATH: &'static str = "/v1/passwords/check";
    const PROBLEMS: &'static [ProblemType] = &[BAD_CREDENTIALS];
    type Answer = CustomerNumber;
}

/// Voids credentials that were set up to an instant, by one row, whatever the number of customers.
/// A void password is refused like a wrong one, and a reset replaces it. Passkeys that were set up to the
/// instant are void as well. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidCredentials {
    /// The incident's number.
    pub incident: u32,
    /// Credentials set at or before this instant are void. It is not in the future.
    pub set_before: Timestamp,
    /// The customers whose credentials become void.
    pub whose: VoidWhose,
}

/// The customers whose credentials are void.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoidWhose {
    /// All customers; every session ends as well. This takes two people, or one who breaks the
    /// glass. The same order handed in again does nothing, and gets the first answer.
    Everybody {
        /// The order that people signed, in the form that `keys` takes, as JSON.
        #[schemars(extend("examples" = ["{\"order\":{…},\"signatures\":[…]}"]))]
        order: String,
    },
    /// Some customers, whose sessions end as well. In any 24 hours, over all incidents, such orders
    /// shut out at most a tenth of the customers and end at most a tenth of the sessions. A handful,
    /// five, is always allowed.
    Only {
        /// The customers, as a Roaring bitmap in the portable serialisation.
        roaring: Vec<u8>,
        /// Whether the order also voids passwords that were set since an earlier order of the
        /// incident covered the customer.
        again: bool,
    },
    /// Some customers, however many, whose sessions end as well. This takes two people, or one who
    /// breaks the glass, as for all customers. Nobody is left out.
    Set {
        /// The order that people signed, in the form that `keys` takes, as JSON. It names the set.
        #[schemars(extend("examples" = ["{\"order\":{…},\"signatures\":[…]}"]))]
        order: String,
        /// The customers, as a Roaring bitmap in the portable serialisation.
        roaring: Vec<u8>,
    },
}

/// The result of a void order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VoidOutcome {
    /// The order's number. If every customer is left out, it is the number of the incident's last
    /// order.
    pub order: u64,
    /// The number of customers with a void credential by this order.
    pub customers: u64,
    /// The number of sessions that ended.
    pub sessions: u64,
    /// The number of customers who are left out, because they set their password since an earlier
    /// order of the incident. Their passwords and sessions stay good.
    pub left_out: u64,
    /// The number of customers who are left out because they came since the incident's last order over
    /// everybody: they had nothing to void.
    #[serde(default)]
    pub created_since: u64,
    /// The time until the order held, in seconds. The customers are counted after that.
    pub seconds: f64,
}

impl Call for VoidCredentials {
    const PATH: &'static str = "/v1/credentials/void";
    const PROBLEMS: &'static [ProblemType] = &[VOID_TAKES_TWO];
    const COMPACT: bool = true;
    type Answer = VoidOutcome;
}
