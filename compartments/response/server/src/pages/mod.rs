//! The pages: the public notice and the report.

mod notice;
mod report;
mod serve;

pub use notice::{notice, publish, published};
pub use report::report;
pub use serve::serve_notice;
