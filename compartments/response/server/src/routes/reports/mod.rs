//! Reports.

pub mod make;
