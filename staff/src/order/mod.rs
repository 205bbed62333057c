//! Orders: files that go from hand to hand and that two people sign.

mod difference;
mod draft;
mod error;
mod file;
mod letter;
mod words;

pub use draft::{letter, next_policy, paper_post, retirement, rotation, void_everybody};
pub use error::{OrderError, OrderFault};
pub use file::{Order, OrderFile, check_owner};
pub use letter::{LetterOrder, RenderedText};
pub use words::recipients;
