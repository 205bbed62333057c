//! An estate: every compartment on one machine, with generated certificates, SQLite files and
//! example callers, for development, small shops and drills.
//!
//! May touch: the estate's directory, ports of loopback, and the processes that it starts. It sees
//! every server, because it writes their configurations. Called by: the CLI, the drill, and the
//! benches that measure a whole estate.

mod addresses;
mod authority;
mod certificates;
mod configs;
mod create;
mod error;
mod open;
mod plan;
mod policy;
mod processes;

pub use addresses::Addresses;
pub use certificates::{OLD_CERTIFICATE, make_certificates, renew_caller, renew_outdated};
pub use cofferdam_core::Compartment;
pub use create::create;
pub use error::{Died, EstateError};
pub use open::Estate;
pub use plan::{APPROVERS, Plan};
pub use processes::Running;
