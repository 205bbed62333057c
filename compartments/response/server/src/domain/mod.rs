//! The rules: what an exposure is, what a letter says. No I/O.

pub mod access;
pub mod governor;
pub mod identity;
pub mod letter;
pub mod page;
pub mod population;
pub mod scope;
pub mod tampering;
pub mod words;
