//! Staff's hand: the steps of a response, approvers' keys, orders that two people sign, imports,
//! and evidence.
//!
//! A step takes a client of a compartment and typed arguments. It prints nothing: a long step
//! reports its progress to its caller. When a compartment refuses a step, the error says what to do
//! next.
//!
//! May touch: the compartments, as the caller whose certificate the client shows; the files that
//! are handed to it; the shop's own database, to read a table. Called by: the CLI, the drill, and
//! the benches that measure a whole estate.

pub mod approvers;
pub mod evidence;
pub mod import;
pub mod incident;
pub mod keys;
pub mod letters;
pub mod order;
pub mod paper_post;
mod printable;
mod progress;
pub mod restore;
pub mod returned;
pub mod settle;
mod step;
pub mod thaw;
pub mod warrant;

pub use printable::printable;
pub use progress::Progress;
pub use step::{StepError, call};
