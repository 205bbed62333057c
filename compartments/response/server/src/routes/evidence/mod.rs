//! Entries of the release logs.

pub mod list;
