//! Returned mail that nothing understood.

pub mod decide;
pub mod list;
pub mod read;
