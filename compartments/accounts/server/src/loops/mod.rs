//! The loops, which run by themselves beside the requests.

mod reseal;
mod resets;
mod sweep;

pub use reseal::reseal;
pub use resets::{AskedReset, ResetLoop, ResetQueue};
pub use sweep::sweep;
