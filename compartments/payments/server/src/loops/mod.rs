//! The loops, which run by themselves beside the requests.

mod keep_up;
mod reseal;

pub use keep_up::keep_up;
pub use reseal::reseal;
