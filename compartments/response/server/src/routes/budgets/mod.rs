//! Read budgets.

pub mod lower;
