//! What the `accounts` compartment says over the wire.
//!
//! May touch: `cofferdam-core` only. Called by: `accounts/server`, and as a client's vocabulary
//! by `response` and the CLI.

mod contain;
mod credentials;
mod customers;
mod exposure;
mod import;
mod problems;

pub use contain::*;
pub use credentials::*;
pub use customers::*;
pub use exposure::*;
pub use import::*;
pub use problems::*;
