//! Letters, from plan to settlement. `response-letter` has the rules of their content, and
//! `response-mailing` those of sending them.

mod draft;
mod paper_post;
mod plan;
mod settle;
mod start;
mod status;
mod test_letter;

pub use draft::{draft, letter_terms};
pub use paper_post::{paper_post_page, paper_post_terms};
pub use plan::{Planning, plan};
pub use settle::settle;
pub use start::start;
pub use status::status;
pub use test_letter::send_test_letter;
