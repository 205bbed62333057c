//! The one hand through which a compartment asks `keys`, and seals and opens its data.
//!
//! A caller names records and fields. The [`Vault`] groups them for the call, holds the answer
//! against the question, and hands out keys by record and by field, so that no list is ever paired
//! with another by position.
//!
//! May touch: `keys`, over the wire. Called by: `accounts`, `payments` and `response`.

mod error;
mod released;
mod vault;

pub use error::VaultError;
pub use released::{FieldKeys, Released, ResealKeys, Resealing, SealedRecord};
pub use vault::Vault;
