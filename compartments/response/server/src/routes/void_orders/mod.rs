//! Orders that void the credentials of a set of customers.

pub mod draft;
