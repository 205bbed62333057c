//! The compartment as its callers see it: over mutual TLS, with its log and database on disk.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

mod alarms;
mod calls;
mod clock;
mod contain;
mod door;
mod epochs;
mod instances;
mod interleavings;
mod log;
mod policy;
#[path = "../support/mod.rs"]
mod support;
