//! Customers' credentials.

pub mod void;
