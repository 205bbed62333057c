//! The `response` compartment: incidents, verified copies of the release logs, exposure,
//! containment, letters with a ledger, the notice, the report and the evidence.
//!
//! The rules are in crates of their own: `response-exposure`, `response-letter` and
//! `response-mailing`. Here are `routes` (a folder per noun, a file per call), `acts` (the orders
//! of staff), `loops` (tasks that run by themselves), `store` (SQL), `logs` (files of logs),
//! `mailroom` (the mailing's view of the outside) and `pages`.
//!
//! May touch: its own database, log copies, notice directory and sending notes; `keys`, `accounts`
//! and `payments` as their controller; the SMTP relays and the DNS. Holds no password and no card.
//! Contacts of customers pass through only while a warrant is open, and are never stored. The
//! people of a brought table are stored with every contact field sealed under keys of `keys`.
//! Called by: staff, through the CLI and the console.

mod acts;
mod address_index;
mod anchoring;
mod app;
mod brought_contacts;
mod config;
mod confine;
mod journal;
pub mod logs;
mod loops;
mod mailroom;
mod own_key;
mod pages;
mod returned_seal;
mod routes;
mod staff;
mod start;
pub mod store;

pub use config::{
    Config, DkimConfig, GateConfig, KeysInstance, LettersConfig, RelayConfig, RelayKey, TlsConfig,
};
pub use routes::ABOUT;
pub use staff::Author;
pub use start::{Server, StartError, make_missing_halves, restore, serve};

/// The OpenAPI document of the compartment.
#[must_use]
pub fn openapi() -> serde_json::Value {
    routes::routes().openapi(&ABOUT)
}

/// The paths of the calls that show personal data, for the test that each is journalled.
#[must_use]
pub fn views() -> Vec<&'static str> {
    routes::views()
}

/// The paths of every call, for the test that tries each without a right to it.
#[must_use]
pub fn paths() -> Vec<&'static str> {
    routes::routes().paths()
}
