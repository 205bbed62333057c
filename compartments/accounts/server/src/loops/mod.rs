//! The loops, which run by themselves beside the requests.

mod keep_up;
mod reseal;
mod resets;
mod resting;
mod sweep;

pub use keep_up::keep_up;
pub use reseal::reseal;
pub use resets::{AskedReset, ResetLoop, ResetQueue};
pub use sweep::sweep;
