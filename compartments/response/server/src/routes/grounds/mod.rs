//! The grounds of the evidence.

pub mod read;
