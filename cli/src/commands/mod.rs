//! The commands: a folder or a file for each subcommand of `cofferdam`.

pub mod budgets;
pub mod decoys;
pub mod drill;
pub mod evidence;
pub mod import;
pub mod incident;
pub mod keys;
pub mod letters;
pub mod log;
pub mod mail;
pub mod serve;
pub mod staff;
pub mod up;
