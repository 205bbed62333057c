//! The pages: the public notice, the check of a letter, and the report.

mod notice;
mod report;
mod serve;
mod verify;

/// A page can't be rendered.
#[derive(Debug, thiserror::Error)]
#[error("a page can't be rendered: {0}")]
pub struct PageError(#[from] askama::Error);

impl cofferdam_core::InternalError for PageError {}

pub use notice::{notice, publish, published};
pub use report::report;
pub use serve::serve_public;
