//! Mail that arrived for customers.

use cofferdam_core::{Call, CallerName, Record};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reports that mail came for a customer. Only a caller whose one grant is to look addresses up may
/// report. The answer is the same for decoys and customers. For a decoy, an alarm rings that names the
/// caller which reported the mail, and the callers which ever opened the decoy's address.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportMail {
    /// The caller that reported the mail to the compartment.
    pub caller: CallerName,
    /// The record whose address got the mail.
    pub record: Record,
}

impl Call for ReportMail {
    const PATH: &'static str = "/v1/mail/report";
    type Answer = ();
}
