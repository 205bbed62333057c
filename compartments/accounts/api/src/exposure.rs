//! What `response` asks to know whose data a fallen host could reach.

use cofferdam_core::{Call, CallerName, Record, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::CoarseRow;

/// Reads which customers were written, changed or erased since, as they are now. Read again from
/// a little before the last answer's end, nothing is missed that was being written then.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadChanges {
    /// Changes after this number.
    pub after: u64,
}

/// Customers that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changes {
    /// The number of the last change in here.
    pub last: u64,
    /// The number of the newest change there is.
    pub newest: u64,
    /// Whether there are more behind it.
    pub more: bool,
    /// Older changes are no longer kept: list all customers anew, then go on from here.
    pub forgotten: bool,
    /// Those that exist, ascending.
    pub rows: Vec<CoarseRow>,
    /// Those that exist no longer, ascending.
    pub gone: Vec<Record>,
}

impl Call for ReadChanges {
    const PATH: &'static str = "/v1/customers/changes";
    const COMPACT: bool = true;
    type Answer = Changes;
}

/// Reads who had a session at some hosts, and who was mailed a reset code, in a window.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadSeen {
    /// Sessions at these callers; `None`: at all of them.
    pub callers: Option<Vec<CallerName>>,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
}

/// Who, as Roaring bitmaps in the portable serialisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// Opened a session there in the window: it passed through the host.
    pub opened: Vec<u8>,
    /// Had a session from before that was good in the window: it may have been shown there.
    pub held: Vec<u8>,
    /// Was mailed a reset code in the window.
    pub mailed: Vec<u8>,
}

impl Call for ReadSeen {
    const PATH: &'static str = "/v1/customers/seen";
    const COMPACT: bool = true;
    type Answer = Seen;
}
