//! Decoys: records of people who don't exist.

use cofferdam_core::{Call, Domain, ProblemType, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problems::DECOYS_CLAIMED;

/// Asks which of a range of new record numbers are decoys, so that `accounts` can fill them. `keys`
/// tells it once: if a range was claimed before, the call is refused with an alarm. A fallen
/// `accounts` can't learn where the decoys are.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimDecoys {
    /// The domain of the records.
    pub domain: Domain,
    /// The first number of the range.
    pub from: Record,
    /// How many numbers the range has, 1 to 100,000.
    #[schemars(extend("examples" = [10_000]))]
    pub count: u32,
}

/// The decoys of a range.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ClaimedDecoys {
    /// Their record numbers, ascending.
    pub decoys: Vec<Record>,
}

impl Call for ClaimDecoys {
    const PATH: &'static str = "/v1/decoys/claim";
    const PROBLEMS: &'static [ProblemType] = &[DECOYS_CLAIMED];
    type Answer = ClaimedDecoys;
}
