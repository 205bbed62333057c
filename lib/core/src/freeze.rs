//! The order to freeze a caller: the same call at `accounts` and `payments`. `keys` has calls of its own,
//! by incident.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Call, CallerName, ProblemType, Reason};

/// Nobody knows a caller with this name. It may be misspelt; the detail says which names there are.
pub const NO_SUCH_CALLER: ProblemType =
    ProblemType::new("no-such-caller", 404, "There is no such caller");

/// An incident holds the caller, by `keys`. Nobody thaws it before every incident lets go.
pub const STILL_HELD: ProblemType =
    ProblemType::new("still-held", 409, "An incident holds the caller frozen");

/// `keys` has no hold for a freeze here: it was down when the caller was frozen. Staff freeze the caller
/// for the incident again, and an approver signs the thaw.
pub const FREEZE_NOT_HELD: ProblemType =
    ProblemType::new("freeze-not-held", 409, "keys does not know of the freeze");

/// Freezes or thaws a caller. Every call of a frozen caller is refused. A thaw is carried out only
/// if no incident holds the caller, by `keys`, and if `keys` knew of every freeze. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeCaller {
    /// The caller. It can't be the controller, because nobody could thaw it.
    pub caller: CallerName,
    /// `true` freezes, `false` thaws.
    pub frozen: bool,
    /// The incident that freezes it, by whose hold `keys` knows of the freeze. `None` comes from an
    /// earlier version of the controller, and for a thaw.
    #[serde(default)]
    pub incident: Option<u32>,
    /// The reason, without personal data.
    pub reason: Reason,
}

impl Call for FreezeCaller {
    const PATH: &'static str = "/v1/callers/freeze";
    const PROBLEMS: &'static [ProblemType] = &[FREEZE_NOT_HELD, STILL_HELD];
    type Answer = ();
}

/// The caller to be frozen is the controller, which alone could thaw itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the controller can't be frozen: nobody could thaw it")]
pub struct BadFreeze;

impl FreezeCaller {
    /// Refuses a freeze of the controller.
    pub fn check(&self, is_controller: impl Fn(&CallerName) -> bool) -> Result<(), BadFreeze> {
        if is_controller(&self.caller) { Err(BadFreeze) } else { Ok(()) }
    }
}
