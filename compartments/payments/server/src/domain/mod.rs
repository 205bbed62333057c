//! What a card is. No I/O.

mod card;
mod token;

pub use card::{BadCard, CardNumber, Expiry};
pub use token::{TokenHash, fresh_token};
