//! Access logs that a shop brings.

pub mod begin;
pub mod finish;
pub mod import;
pub mod list;
pub mod remove;
