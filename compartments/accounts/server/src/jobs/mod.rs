//! What happens beside the requests.

mod post;
mod reseal;
mod resets;
mod sweep;

pub use post::{Letter, Post};
pub use reseal::reseal;
pub use resets::{AskedReset, ResetJob, ResetQueue};
pub use sweep::sweep;
