//! The customers that a fallen host saw without reading them.

use cofferdam_core::{Call, CallerName, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads the customers who had a session at some callers in a window, and those who were mailed a
/// reset code in it. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadActivity {
    /// The callers whose sessions count; `None` counts all.
    pub callers: Option<Vec<CallerName>>,
    /// The beginning of the window.
    pub from: Timestamp,
    /// The end of the window.
    pub to: Timestamp,
}

/// Sets of customers, as Roaring bitmaps in the portable serialisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// Customers who opened a session there in the window, or whose session of the group was first seen
    /// there in it.
    pub opened: Vec<u8>,
    /// Customers with a session that was opened or seen there before and still good in the window: its
    /// token may have been shown there again.
    pub held: Vec<u8>,
    /// Customers who were mailed a reset code in the window.
    pub mailed: Vec<u8>,
}

impl Call for ReadActivity {
    const PATH: &'static str = "/v1/activity/read";
    const COMPACT: bool = true;
    type Answer = Activity;
}
