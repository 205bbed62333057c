//! The rules for cards. No I/O.

mod brand;
mod card;
mod expiry;
mod number;
mod token;

pub use brand::{brand_named, name_of};
pub use card::{Card, SEALED, check_cards};
pub use token::{new_token, token_hash};
