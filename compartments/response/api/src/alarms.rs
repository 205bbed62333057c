//! The alarms that lead to an incident.

use cofferdam_core::{Call, CallerName, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lists the alarms of `keys`, as copied here, and those of `response` itself, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAlarms {
    /// Only alarms that changed after this sequence number; 0 lists all.
    pub after: u64,
}

/// An alarm, with its repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alarm {
    /// The sequence number, which grows with every alarm and every repeat.
    pub seq: u64,
    /// The instant of the first time it rang.
    pub first: Timestamp,
    /// The instant of the last time it rang.
    pub last: Timestamp,
    /// The kind of the alarm, as `budget` or `decoy`.
    #[schemars(extend("examples" = ["decoy"]))]
    pub kind: String,
    /// The caller that set it off, if a caller did.
    pub caller: Option<CallerName>,
    /// The number of times that it rang.
    pub count: u64,
    /// One sentence, without personal data.
    #[schemars(extend("examples" = ["web-ky-1 opened decoy 32"]))]
    pub detail: String,
}

impl Call for ListAlarms {
    const PATH: &'static str = "/v1/alarms/list";
    /// At most 1,000; the next page begins after the last sequence number.
    type Answer = Vec<Alarm>;
}
