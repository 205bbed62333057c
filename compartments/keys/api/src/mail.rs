//! Mail that arrived for customers.

use cofferdam_core::{Call, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reports that mail came for a customer. The answer is the same for decoys and customers. For a
/// decoy, an alarm rings that names the callers which ever opened its address.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportMail {
    /// The record whose address got the mail.
    pub record: Record,
}

impl Call for ReportMail {
    const PATH: &'static str = "/v1/mail/report";
    type Answer = ();
}
