//! What the `response` compartment says over the wire: to staff, by the CLI and the console.
//!
//! May touch: `cofferdam-core` only. Called by: `response/server`, and as a client's vocabulary
//! by the CLI and the console.

mod contain;
mod evidence;
mod exposure;
mod fallen;
mod foreign;
mod govern;
mod incident;
mod journal;
mod ledger;
mod letters;
mod post;
mod publish;

pub use contain::*;
pub use evidence::*;
pub use exposure::*;
pub use fallen::*;
pub use foreign::*;
pub use govern::*;
pub use incident::*;
pub use journal::*;
pub use ledger::*;
pub use letters::*;
pub use post::*;
pub use publish::*;
