//! The tables. Every test runs on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

#[macro_use]
mod support;
mod alarms;
mod brought;
mod findings;
mod incidents;
mod journal;
mod ledger;
mod letters;
mod migration;
mod sightings;
