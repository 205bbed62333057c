//! Letters on paper.

pub mod draft;
pub mod read;
