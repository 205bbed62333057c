//! The numbers by which the shop's app servers know customers.

pub mod resolve;
