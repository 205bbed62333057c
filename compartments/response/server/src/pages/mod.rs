//! The pages: the public notice, the check of a letter, and the report.

mod notice;
mod report;
mod serve;
mod verify;

pub use notice::{notice, publish, published};
pub use report::report;
pub use serve::serve_public;
