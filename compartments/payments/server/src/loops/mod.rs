//! What runs by itself, beside the requests.

mod reseal;

pub use reseal::reseal;
