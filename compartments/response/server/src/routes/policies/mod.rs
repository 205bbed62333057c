//! The policy of `keys`.

pub mod read;
