//! Letters, from plan to settlement. What a letter says is in `response-letter`, and how it is sent in
//! `response-mailing`.

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
