//! The brought table.

pub mod begin;
pub mod finish;
pub mod import;
pub mod read;
