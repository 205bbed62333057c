//! Orders: what two people sign, as a file that goes from hand to hand.

mod difference;
mod draft;
mod error;
mod file;
mod letter;
mod words;

pub use draft::{letter, next_policy, paper_post, retirement, rotation, void_everybody};
pub use error::{OrderError, OrderFault};
pub use file::{Order, OrderFile};
pub use letter::{LetterOrder, RenderedText};
pub use words::recipients;
