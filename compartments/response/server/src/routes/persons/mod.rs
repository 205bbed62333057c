//! Single persons.

pub mod find;
pub mod read;
