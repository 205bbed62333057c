//! Orders that people sign.

pub mod apply;
