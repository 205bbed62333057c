//! What runs by itself, beside the requests.

mod reseal;
mod resets;
mod sweep;

pub use reseal::reseal;
pub use resets::{AskedReset, ResetLoop, ResetQueue};
pub use sweep::sweep;
