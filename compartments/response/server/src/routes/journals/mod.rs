//! Journals.

pub mod read;
