//! What the `keys` compartment says over the wire: its calls, its release log, its warrants.
//!
//! May touch: `cofferdam-core` only. Called by: `keys/server`, and as a client's vocabulary by
//! `accounts`, `payments`, `response` and the CLI.

mod calls;
mod entry;
mod warrant;

pub use calls::*;
pub use entry::{BadEntry, Entry, Event, MAX_ENTRY, RecordList};
pub use warrant::{
    ApproverKey, ApproverSecret, BadWarrant, Signature, SignedWarrant, Warrant, WarrantId,
};

/// The most records that one call may name. A log entry for as many stays below
/// [`MAX_ENTRY`] whatever their numbers are.
pub const MAX_BATCH: usize = 10_000;
