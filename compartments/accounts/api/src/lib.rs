//! The calls and answers of the `accounts` compartment, a file a noun.
//!
//! May touch: `cofferdam-core` only. Called by: `accounts/server`, and as a client's vocabulary by
//! `response`, staff's tools and app servers.

mod activity;
mod changes;
mod contacts;
mod credentials;
mod customer_numbers;
mod customers;
mod imports;
mod mail;
mod passkeys;
mod problems;
mod reseal;
mod resets;
mod sessions;

pub use activity::*;
pub use changes::*;
pub use cofferdam_core::{CustomerNumber, FreezeCaller, ListCheckpoints};
pub use contacts::*;
pub use credentials::*;
pub use customer_numbers::*;
pub use customers::*;
pub use imports::*;
pub use mail::*;
pub use passkeys::*;
pub use problems::*;
pub use reseal::*;
pub use resets::*;
pub use sessions::*;
