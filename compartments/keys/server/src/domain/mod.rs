//! The rules of the compartment: which keys a call asks for, who may have them, how many, and what
//! the log says of it. No I/O.

pub mod access;
pub mod batch;
pub mod budget;
pub mod callers;
pub mod credit;
pub mod decoy;
pub mod derive;
pub mod epochs;
pub mod orders;
pub mod recall;
pub mod release;
pub mod time;
pub mod warrants;
