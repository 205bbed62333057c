//! The acts: everything that staff order and that takes several steps. Routes check and answer.

pub mod access_logs;
pub mod claims;
pub mod contain;
pub mod customer_numbers;
pub mod evidence;
pub mod exposed_people;
pub mod freeze;
pub mod incidents;
pub mod letters;
pub mod orders;
pub mod scope;
pub mod table;
