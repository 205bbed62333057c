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
}

impl Call for EraseRecords {
    const PATH: &'static str = "/v1/records/erase";
    type Answer = ();
}
