//! The rules: what a card is. No I/O.

mod brand;
mod expiry;
mod number;
mod token;

pub use brand::{brand_named, name_of};
pub use expiry::{BadExpiry, Expiry};
pub use number::{BadNumber, CardNumber};
pub use token::{new_token, token_hash};
