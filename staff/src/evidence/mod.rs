//! The evidence of an incident: one sealed bag that proves what was read, known, decided and sent,
//! and verifies offline.

mod checks;
mod error;
mod export;
mod files;

pub use checks::{Contents, check};
pub use error::EvidenceError;
pub use export::{Exported, export};
