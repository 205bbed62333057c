//! The rules of the compartment: the keys that a call asks for, the grants and budgets that allow
//! them, and the events for the log. No I/O.

pub mod access;
pub mod anchors;
pub mod batch;
pub mod budget;
pub mod callers;
pub mod credit;
pub mod decoy;
pub mod derive;
pub mod epochs;
pub mod guesses;
pub mod holds;
pub mod look_ups;
pub mod lowerings;
pub mod orders;
pub mod passkeys;
pub mod passwords;
pub mod presence;
pub mod recall;
pub mod release;
pub mod states;
pub mod time;
pub mod voids;
pub mod warrants;
