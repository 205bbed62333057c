//! The compartment as its callers see it: over mutual TLS, with its log and database on disk.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

mod alarms;
mod authorisation;
mod budgets;
mod callers;
mod clock;
mod decoys;
mod door;
mod epochs;
mod freeze_during_call;
mod instances;
mod interleavings;
mod journals;
mod log;
mod passkeys;
mod policy;
mod presence;
mod release;
mod revoked_keys;
mod states;
#[path = "../support/mod.rs"]
mod support;
mod tables;
mod told;
mod void_orders;
mod warrants;
