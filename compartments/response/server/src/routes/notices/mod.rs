//! Public notices.

pub mod publish;
