//! Records that were erased.

use cofferdam_core::{Call, CallerName, Domain, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Erases records for ever: their keys are never released again, in any epoch, so that their data
/// in backups stays closed. This can't be undone.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseRecords {
    /// The domain of the records.
    pub domain: Domain,
    /// The caller that asked the compartment to erase.
    pub caller: CallerName,
    /// The records, one to [`MAX_BATCH`](crate::MAX_BATCH), ascending, none twice.
    #[schemars(length(min = 1, max = crate::MAX_BATCH))]
    pub records: Vec<Record>,
    /// Whether the compartment holds data of the records. Records that it does not hold are taken
    /// only if they were erased before: a number that is still to be given out stays usable.
    #[serde(default = "held")]
    pub held: bool,
}

/// Compartments of earlier versions do not say whether they hold the records.
const fn held() -> bool {
    true
}

impl Call for EraseRecords {
    const PATH: &'static str = "/v1/records/erase";
    type Answer = ();
}
