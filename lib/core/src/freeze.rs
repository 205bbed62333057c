//! The order to freeze a caller: the same call at `keys`, `accounts` and `payments`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Call, CallerName};

/// Freezes or thaws a caller. Every call of a frozen caller is refused. For the controller.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeCaller {
    /// The caller. It can't be the controller, because nobody could thaw it.
    pub caller: CallerName,
    /// `true` freezes, `false` thaws.
    pub frozen: bool,
    /// The reason, at most 500 characters, without personal data: `keys` keeps it in its log.
    #[schemars(extend("examples" = ["its host reads customers at night"]))]
    pub reason: String,
}

impl Call for FreezeCaller {
    const PATH: &'static str = "/v1/callers/freeze";
    type Answer = ();
}

/// A freeze that a compartment refuses to carry out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadFreeze {
    /// The reason is too long.
    #[error("a reason has at most {} characters", FreezeCaller::MAX_REASON)]
    Reason,
    /// The caller is the controller, which alone could thaw itself.
    #[error("the controller can't be frozen: nobody could thaw it")]
    Controller,
}

impl FreezeCaller {
    /// The longest reason, in characters.
    pub const MAX_REASON: usize = 500;

    /// Refuses a reason that is too long, and a freeze of the controller.
    pub fn check(&self, is_controller: impl Fn(&CallerName) -> bool) -> Result<(), BadFreeze> {
        if self.reason.chars().count() > Self::MAX_REASON {
            return Err(BadFreeze::Reason);
        }
        if is_controller(&self.caller) {
            return Err(BadFreeze::Controller);
        }
        Ok(())
    }
}
