//! The calls and answers of the `payments` compartment, a file a noun.
//!
//! May touch: `cofferdam-core` only. Called by: `payments/server`, and as a client's vocabulary by
//! checkout servers, `response` and the CLI.

mod cards;
mod reseal;
mod token;

pub use cards::*;
pub use cofferdam_core::{FreezeCaller, ListCheckpoints};
pub use reseal::*;
pub use token::*;
