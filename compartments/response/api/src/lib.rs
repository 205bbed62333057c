//! The calls and answers of the `response` compartment, for staff: the CLI and the console.
//!
//! May touch: `cofferdam-core` only. Called by: the crates of `response`, and as a client's
//! vocabulary by staff's hand, the CLI, the drill and the console.

mod access_logs;
mod alarms;
mod contain;
mod customer_numbers;
mod doubt;
mod evidence;
mod exposure;
mod hosts;
mod incidents;
mod journal;
mod ledger;
mod letters;
mod orders;
mod paper_post;
mod problems;
mod publications;
mod returned;
mod schema;
mod tables;

pub use access_logs::*;
pub use alarms::*;
pub use cofferdam_core::AddRevokedKey;
pub use contain::*;
pub use customer_numbers::*;
pub use doubt::*;
pub use evidence::*;
pub use exposure::*;
pub use hosts::*;
pub use incidents::*;
pub use journal::*;
pub use ledger::*;
pub use letters::*;
pub use orders::*;
pub use paper_post::*;
pub use problems::*;
pub use publications::*;
pub use returned::*;
pub use tables::*;
