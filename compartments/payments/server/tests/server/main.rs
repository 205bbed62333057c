//! The payments server as its callers see it: over mutual TLS, with a real database and a small
//! `keys`.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod authorisation;
mod cards;
mod instances;
mod reseal;
mod secrecy;
mod seen_log;
mod states;
mod support;
