//! The same theft in a conventional shop: one database with the customers in clear, one app server
//! that holds its credentials and the key of the card numbers, one access log.

mod error;
mod investigate;
mod replay;
mod secrets;
mod server;
mod shop;
mod tally;
#[cfg(test)]
mod tests;
mod theft;
mod traffic;

pub use error::FlatError;
pub use replay::{FlatReport, FlatSize, run};
pub use shop::FlatPerson;
