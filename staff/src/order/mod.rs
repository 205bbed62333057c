//! Orders: what two people sign, as a file that goes from hand to hand.

mod draft;
mod error;
mod file;
mod letter;
mod words;

pub use draft::{next_policy, retirement, rotation};
pub use error::{OrderError, OrderFault};
pub use file::{Order, OrderFile};
pub use letter::LetterOrder;
pub use words::recipients;
