//! The rules: what a key is, who may have it, how many. No I/O.

pub mod access;
pub mod budget;
pub mod decoy;
pub mod derive;
pub mod time;
pub mod warrants;
