//! The accounts server as its callers see it: over mutual TLS, with a real database.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

mod authorisation;
mod contain;
mod customer_numbers;
mod customers;
mod decoys;
mod import;
mod instances;
mod passkeys;
mod presence;
mod reseal;
mod resets;
mod revoked_keys;
mod secrecy;
mod sequences;
mod sessions;
#[path = "../support/mod.rs"]
mod support;
mod told;
