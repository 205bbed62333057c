//! Orders: files that go from hand to hand and that two people sign.

mod alone;
mod difference;
mod draft;
mod error;
mod file;
mod letter;
mod signed_last;
mod void_set;
mod words;

pub use alone::sign_alone;
pub use draft::{
    exposed_customers, letter, next_policy, paper_post, retirement, rotation, void_everybody,
    void_set,
};
pub use error::{OrderError, OrderFault};
pub use file::{Order, OrderFile, check_owner};
pub use letter::{LetterOrder, RenderedText};
pub use signed_last::{note_signed, signed_last};
pub use void_set::VoidSetOrder;
pub use words::recipients;
