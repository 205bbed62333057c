//! The compartment as staff see it: over mutual TLS, on a database of its own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

mod access_logs;
mod alarms;
mod amend;
mod anchors;
mod authorisation;
mod bench;
mod claims;
mod close;
mod contain;
mod evidence;
mod exposed_people;
mod follow;
mod incidents;
mod letters;
mod neighbours;
mod orders;
mod public;
mod sending;
mod sequences;
mod table;
mod views;
mod void;
