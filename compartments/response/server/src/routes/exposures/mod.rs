//! Exposures.

pub mod read;
