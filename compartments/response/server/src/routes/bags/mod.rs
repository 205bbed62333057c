//! Bags of evidence.

pub mod seal;
