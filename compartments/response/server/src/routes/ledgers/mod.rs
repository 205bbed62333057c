//! Ledgers of letters.

pub mod read;
