//! Where nobody lives.

use cofferdam_core::{Call, Domain, ProblemType, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problems::DECOYS_CLAIMED;

/// Asks, once, which of a range of new record numbers are decoys, so that `accounts` can fill
/// them. A range that was asked for before is refused, with an alarm: a fallen `accounts` can't
/// learn where the decoys are.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimDecoys {
    /// Whose record numbers.
    pub domain: Domain,
    /// The first number that nobody asked for yet.
    pub from: Record,
    /// How many numbers, at most 100,000.
    pub count: u32,
}

/// The decoys in the range, ascending.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ClaimedDecoys {
    /// Record numbers.
    pub decoys: Vec<Record>,
}

impl Call for ClaimDecoys {
    const PATH: &'static str = "/v1/decoys/claim";
    const PROBLEMS: &'static [ProblemType] = &[DECOYS_CLAIMED];
    type Answer = ClaimedDecoys;
}

/// Tells that mail came for a customer. The answer is the same whoever that is; if nobody lives
/// there, it rings, and names the callers that ever opened the address.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportMail {
    /// To whom the mail came.
    pub record: Record,
}

impl Call for ReportMail {
    const PATH: &'static str = "/v1/mail/report";
    type Answer = ();
}
