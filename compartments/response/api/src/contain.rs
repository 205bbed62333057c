//! Containing an incident: frozen callers, void credentials, lower budgets.

use cofferdam_core::{
    Call, CallerName, NO_SUCH_CALLER, Operation, ProblemType, Reason, Record, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{HELD_ELSEWHERE, INCIDENT_CLOSED, IncidentId, KEY_IN_FORCE, NOT_SCOPED, PARTLY_DONE};

/// Freezes or thaws a caller in every compartment. Each incident holds the callers that it froze, until
/// an approver signs that it lets go, also after it was closed. A caller is thawed when no incident
/// holds it; `keys` holds to that.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeCaller {
    /// The incident for which it is done.
    pub incident: IncidentId,
    /// The caller, by the name in its certificate.
    pub caller: CallerName,
    /// `true` freezes, `false` thaws.
    pub frozen: bool,
    /// The reason, without personal data.
    pub reason: Reason,
    /// Whether the caller has a new key. A thaw has to say it; a freeze leaves it out.
    #[serde(default)]
    pub key: Option<ThawedKey>,
    /// The order by which a hold ends, signed by an approver, in the form that `keys` takes. A thaw
    /// takes it while `keys` has a hold of the incident; a freeze leaves it out.
    #[serde(default)]
    #[schemars(extend("examples" = [{"order": {}, "signatures": []}]))]
    pub order: Option<serde_json::Value>,
}

/// The key with which a thawed caller comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThawedKey {
    /// A new key. The old one was revoked.
    Changed,
    /// The same key: somebody made sure that nobody else has it.
    Same,
}

impl Call for FreezeCaller {
    const PATH: &'static str = "/v1/callers/freeze";
    const PROBLEMS: &'static [ProblemType] =
        &[HELD_ELSEWHERE, INCIDENT_CLOSED, KEY_IN_FORCE, NO_SUCH_CALLER, PARTLY_DONE];
    type Answer = CallerHolds;
}

/// Reads the holds on a caller, in the order of the incidents. The order that ends one names it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadHolds {
    /// The caller, by the name in its certificate.
    pub caller: CallerName,
}

impl Call for ReadHolds {
    const PATH: &'static str = "/v1/holds/read";
    type Answer = Vec<CallerHold>;
}

/// An incident's hold on a caller, as `keys` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallerHold {
    /// The incident; 0 for all freezes from before `keys` knew incidents.
    pub incident: IncidentId,
    /// The number of the hold; 0 for the same.
    pub hold: u64,
}

/// The state of a caller after it was frozen or thawed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallerHolds {
    /// Whether every compartment refuses the caller.
    pub frozen: bool,
    /// The incidents that hold the caller frozen.
    pub held_by: Vec<IncidentId>,
}

/// Voids the credentials of some customers, and ends their sessions. More than a tenth of the customers
/// in 24 hours takes an order that two people sign: see [`ApplyOrder`](crate::ApplyOrder).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidCredentials {
    /// The incident for which it is done.
    pub incident: IncidentId,
    /// The customers whose credentials become void.
    pub whose: VoidWhose,
    /// The instant up to which set credentials become void. `None` means now, and leaves out
    /// customers who set their password since an earlier order of the incident. An instant leaves
    /// nobody out.
    #[serde(default)]
    pub set_before: Option<Timestamp>,
}

/// The customers whose credentials become void.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoidWhose {
    /// Everybody with a field read or presented, by the exposure that was computed last.
    Exposed,
    /// The customers that the call names.
    Only {
        /// The record numbers of the customers.
        records: Vec<Record>,
    },
}

/// The result of a void order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Voided {
    /// The order's number in `accounts`.
    pub order: u64,
    /// Credentials set up to this instant are void; `None` if the order is older than this field.
    #[serde(default)]
    pub set_before: Option<Timestamp>,
    /// The number of customers whose credential is void.
    pub customers: u64,
    /// The number of sessions that ended.
    pub sessions: u64,
    /// The number of customers who were left out, because they set their password since an earlier
    /// order of the incident. Their passwords and sessions stay good.
    #[serde(default)]
    pub left_out: u64,
    /// The number of customers who were left out because they came since the incident's last order over
    /// everybody. They had nothing to void.
    #[serde(default)]
    pub created_since: u64,
    /// The time from the call until the order held, in seconds.
    pub seconds: f64,
}

impl Call for VoidCredentials {
    const PATH: &'static str = "/v1/credentials/void";
    const PROBLEMS: &'static [ProblemType] = &[INCIDENT_CLOSED, NOT_SCOPED];
    type Answer = Voided;
}

/// Lowers a caller's budget below the one in force, or gives it back by an order that an approver signed,
/// also after the incident was closed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LowerBudget {
    /// The incident for which it is done.
    pub incident: IncidentId,
    /// The caller, by the name in its certificate.
    pub caller: CallerName,
    /// The operation that the budget is for.
    pub operation: Operation,
    /// The budget, in the form of the API of `keys`; `None` gives the lowered budget back.
    #[schemars(extend("examples" = [{"minute": 10, "hour": 100, "day": 500, "burst": 0}]))]
    pub budget: Option<serde_json::Value>,
    /// The order by which the lowering ends, signed by an approver, in the form that `keys` takes. To
    /// lower a budget leaves it out.
    #[serde(default)]
    #[schemars(extend("examples" = [{"order": {}, "signatures": []}]))]
    pub order: Option<serde_json::Value>,
    /// The reason, without personal data.
    pub reason: Reason,
}

impl Call for LowerBudget {
    const PATH: &'static str = "/v1/budgets/lower";
    const PROBLEMS: &'static [ProblemType] = &[INCIDENT_CLOSED, NO_SUCH_CALLER];
    type Answer = ();
}
