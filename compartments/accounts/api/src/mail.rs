//! Mail that arrived at addresses in the mail domains of decoys.

use cofferdam_core::{Call, Personal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reports that mail came to an address in a mail domain of decoys. Only someone who holds our list
/// writes to decoys. The answer is always the same. For the mail server, which needs a grant to
/// look addresses up.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportMail {
    /// The address to which the mail came.
    #[schemars(extend("examples" = ["ada.reyes7@mailbox.example"]))]
    pub recipient: Personal,
}

impl Call for ReportMail {
    const PATH: &'static str = "/v1/mail/report";
    type Answer = ();
}
