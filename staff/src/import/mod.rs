//! Bringing data in: the customers of an older shop into `accounts`; the shop's own table and other
//! systems' access logs to `response`, for an incident about them.
//!
//! After an interruption, everything that was brought stays, and the same import continues.

mod access_log;
mod catalogue;
mod customers;
mod error;
mod lines;
#[cfg(test)]
mod own_lines_tests;
mod pages;
mod reader;
mod rejects;
mod rotation;
mod rows;
mod send;
mod table;
mod table_source;

pub use access_log::{
    Coverage, PlannedLog, ReadLogs, UnnamedShape, bring_access_logs, plan_access_logs,
};
pub use catalogue::{CATALOGUE_QUERY, TakenCatalogue, propose_mapping, take_catalogue};
pub use customers::{ImportSummary, default_rejects, import_customers, import_in_order};
pub use error::{BadHeader, ImportError, SourceError};
pub use rows::COLUMNS;
pub use send::Created;
pub use table::{TableSummary, import_table};
pub use table_source::TableSource;
