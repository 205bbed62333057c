//! The brought table.

pub mod finish;
pub mod import;
pub mod read;
