//! Orders that void the credentials of all customers.

use cofferdam_core::{Call, ProblemType, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problems::ORDER_REFUSED;
use crate::signed::{Order, Signed};

/// An order that voids the credentials of all customers. It names the instant, so that handing it
/// in again voids nothing more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidOrder {
    /// The number of the incident.
    pub incident: u32,
    /// The instant up to which set credentials are void.
    pub set_before: Timestamp,
    /// The last instant at which the order may be carried out.
    pub until: Timestamp,
    /// The reason why one signature must suffice, 10 to 500 characters. It is part of the signed
    /// bytes, the log keeps it, and an alarm rings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["nobody else can be reached, and accounts are being emptied"]))]
    pub break_glass: Option<String>,
}

impl Order for VoidOrder {
    const HEADING: &'static str = "void v1";
    const NAME: &'static str = "a void order";

    fn break_glass(&self) -> Option<&str> {
        self.break_glass.as_deref()
    }

    fn until(&self) -> Option<Timestamp> {
        Some(self.until)
    }
}

/// Checks a void order and writes it to the log. For the front that carries the order out, which
/// knows no approvers itself. A fallen controller alone can't shut out all customers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveVoidOrder {
    /// The order, signed by two approvers, or by one who breaks the glass.
    pub order: Signed<VoidOrder>,
}

impl Call for ApproveVoidOrder {
    const PATH: &'static str = "/v1/void-orders/approve";
    const PROBLEMS: &'static [ProblemType] = &[ORDER_REFUSED];
    type Answer = ();
}
