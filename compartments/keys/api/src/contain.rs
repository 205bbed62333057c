//! Containment that takes `keys`: approval of void orders, and budgets below the policy's.

use cofferdam_core::{Call, CallerName, Operation, ProblemType, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policy::Budget;
use crate::problems::ORDER_REFUSED;
use crate::signed::{Order, Signed};

/// What two people order: that the credentials of all customers are void. It names the instant, so
/// that handing it in again voids nothing more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidOrder {
    /// The incident's number.
    pub incident: u32,
    /// Credentials set up to this instant are void.
    pub set_before: Timestamp,
    /// Until when the order may be carried out.
    pub until: Timestamp,
    /// Why one person must do, 10 to 500 characters: it stands in the log, and rings. Part of what
    /// is signed, so that nobody else can give the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<String>,
}

impl Order for VoidOrder {
    const HEADING: &'static str = "void v1";

    fn break_glass(&self) -> Option<&str> {
        self.break_glass.as_deref()
    }

    fn until(&self) -> Option<Timestamp> {
        Some(self.until)
    }
}

/// Checks a void order, and writes it to the log. For the front that carries it out, which knows no
/// approvers itself: so that a fallen controller can't shut every customer out alone.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveVoidOrder {
    /// The order, signed by two approvers; by one, when the glass is broken.
    pub order: Signed<VoidOrder>,
}

impl Call for ApproveVoidOrder {
    const PATH: &'static str = "/v1/void-orders/approve";
    const PROBLEMS: &'static [ProblemType] = &[ORDER_REFUSED];
    type Answer = ();
}

/// Lowers a caller's budget below what the policy gives it, or ends that. For the controller; one
/// person is enough, since it only takes away.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LowerBudget {
    /// Whose.
    pub caller: CallerName,
    /// For what.
    pub operation: Operation,
    /// The budget from now on, in no window above the policy's; `None`: the policy's again.
    pub budget: Option<Budget>,
    /// Why, at most 500 characters, without personal data: it stands in the log.
    pub reason: String,
}

impl Call for LowerBudget {
    const PATH: &'static str = "/v1/budgets/lower";
    type Answer = ();
}
