//! The loops, which run by themselves beside the requests.

mod reseal;

pub use reseal::reseal;
