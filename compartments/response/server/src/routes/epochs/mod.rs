//! Epochs of the keys.

pub mod list;
