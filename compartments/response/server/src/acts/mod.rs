//! What staff order, where it takes more than a step. Routes check and answer; acts do.

pub mod access_logs;
pub mod contain;
pub mod evidence;
pub mod incidents;
pub mod letters;
pub mod orders;
pub mod scope;
pub mod table;
