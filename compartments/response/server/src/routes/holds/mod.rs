//! The holds of incidents on callers.

pub mod read;
