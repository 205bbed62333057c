//! Decoys: records of people who don't exist.

use cofferdam_core::{Call, Domain, ProblemType, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problems::DECOYS_CLAIMED;

/// Claims the decoys of a range of new record numbers, so that `accounts` can fill them. `keys`
/// names them once: a second claim of the same range is refused with an alarm. A fallen `accounts`
/// can't learn which records are decoys.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimDecoys {
    /// The domain of the records.
    pub domain: Domain,
    /// The first number of the range.
    pub from: Record,
    /// The number of records in the range, 1 to 100,000.
    #[schemars(extend("examples" = [10_000]))]
    pub count: u32,
}

/// The decoys of a range.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ClaimedDecoys {
    /// The record numbers of the decoys, ascending.
    pub decoys: Vec<Record>,
}

impl Call for ClaimDecoys {
    const PATH: &'static str = "/v1/decoys/claim";
    const ONCE: bool = true;
    const PROBLEMS: &'static [ProblemType] = &[DECOYS_CLAIMED];
    type Answer = ClaimedDecoys;
}
