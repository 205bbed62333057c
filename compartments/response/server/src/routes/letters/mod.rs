//! Letters.

pub mod draft;
pub mod list;
pub mod pause;
pub mod plan;
pub mod read;
pub mod settle;
pub mod start;
pub mod stop;
pub mod test;
