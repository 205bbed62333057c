//! Callers of the estate.

pub mod freeze;
pub mod list;
