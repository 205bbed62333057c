//! The pages: the public notice, the public check of a letter, and the report.

mod check_code;
mod notice;
mod report;
mod serve;
mod verify;

/// A page can't be rendered.
#[derive(Debug, thiserror::Error)]
#[error("a page can't be rendered: {0}")]
pub struct PageError(#[from] askama::Error);

impl cofferdam_core::InternalError for PageError {}

pub use check_code::ApprovedSubjects;
pub use notice::{publish_notice, published_notice, render_notice};
pub use report::render_report;
pub use serve::serve_public;
