//! Incidents.

pub mod amend;
pub mod close;
pub mod declare;
pub mod list;
pub mod scope;
