//! Holds: the incidents that keep a caller frozen, and the order by which staff let go.

use std::fmt;

use cofferdam_core::{Call, CallerName, NO_SUCH_CALLER, ProblemType, Reason, Rng, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problems::{NO_SUCH_HOLD, ORDER_REFUSED};
use crate::signed::{Order, Signed};

/// The number of a hold. It is random and never used again, so that the order that ended one hold
/// ends no other.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
#[schemars(extend("examples" = [4_611_686_018_427_387_u64]))]
pub struct HoldId(pub u64);

impl HoldId {
    /// The hold of all freezes from before holds were kept here. It belongs to no incident.
    pub const BEFORE: Self = Self(0);

    /// Makes a new number of 53 bits, which every reader of JSON takes whole.
    #[must_use]
    pub fn random(rng: &dyn Rng) -> Self {
        Self((u64::from_be_bytes(rng.bytes()) >> 11).max(1))
    }
}

impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An incident's hold on a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// The number of the incident; 0 for [`HoldId::BEFORE`].
    pub incident: u32,
    /// The number of the hold.
    pub hold: HoldId,
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.hold == HoldId::BEFORE {
            return f.write_str("a freeze of no incident");
        }
        write!(f, "incident {}", self.incident)
    }
}

/// Freezes a caller for an incident, which holds it until an approver lets go. Every call of a
/// frozen caller is refused. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeCaller {
    /// The caller. It can't be the controller, because nobody could thaw it.
    pub caller: CallerName,
    /// The number of the incident, from 1 on.
    #[schemars(range(min = 1))]
    pub incident: u32,
    /// The reason, without personal data: the release log keeps it.
    pub reason: Reason,
}

impl Call for FreezeCaller {
    const PATH: &'static str = "/v1/callers/freeze";
    const PROBLEMS: &'static [ProblemType] = &[NO_SUCH_CALLER];
    type Answer = Hold;
}

/// Checks that there is a caller of a name, so that no order about a misspelt name goes anywhere. A
/// name that a policy removed counts while an incident holds it. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckCaller {
    /// The name to look for, as in the policy and in the client certificate.
    pub caller: CallerName,
}

impl Call for CheckCaller {
    const PATH: &'static str = "/v1/callers/check";
    const PROBLEMS: &'static [ProblemType] = &[NO_SUCH_CALLER];
    type Answer = ();
}

/// The order by which an incident lets go of a caller. The caller is thawed when no hold is left. A
/// thaw opens data, so an approver signs it; one is enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThawOrder {
    /// The caller whose hold ends.
    pub caller: CallerName,
    /// The number of the incident that lets go.
    pub incident: u32,
    /// The hold that ends: one of the incident, or [`HoldId::BEFORE`].
    pub hold: HoldId,
    /// The last instant at which the order may be carried out.
    pub until: Timestamp,
    /// The reason, without personal data: the release log keeps it.
    pub reason: Reason,
}

impl Order for ThawOrder {
    const HEADING: &'static str = "thaw v1";
    const NAME: &'static str = "a thaw";
    const ALONE: bool = true;

    fn until(&self) -> Option<Timestamp> {
        Some(self.until)
    }
}

/// Ends a hold by an order that an approver signed. The same order again does nothing. For the
/// controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThawCaller {
    /// The order, signed by an approver.
    pub order: Signed<ThawOrder>,
}

impl Call for ThawCaller {
    const PATH: &'static str = "/v1/callers/thaw";
    const PROBLEMS: &'static [ProblemType] = &[NO_SUCH_HOLD, ORDER_REFUSED];
    /// The holds that are left. The caller is thawed if there is none.
    type Answer = Vec<Hold>;
}

/// Reads the holds on a caller, in the order of the incidents. For compartments: one that is told to
/// thaw a caller asks here whether it may.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadHolds {
    /// The caller whose holds are read.
    pub caller: CallerName,
}

impl Call for ReadHolds {
    const PATH: &'static str = "/v1/holds/read";
    type Answer = Vec<Hold>;
}
