//! Anchors of journals.

pub mod list;
