//! The loops, which run by themselves beside the requests.

mod keep_up;
mod name_voided;
mod reseal;
mod resets;
mod resting;
mod sweep;

pub use keep_up::keep_up;
pub use name_voided::name_voided;
pub use reseal::reseal;
pub use resets::{AskedReset, ResetLoop, ResetQueue};
pub use sweep::sweep;
