//! The `Vault`: the one way in which a compartment asks for keys, and seals and opens its data.
//!
//! A caller names records and fields. The [`Vault`] groups them for the call, compares the answer
//! with the question, and hands out keys by record and by field, so that no list is ever paired
//! with another by position.
//!
//! May touch: `keys`, over the wire. Called by: `accounts`, `payments` and `response`.

mod error;
mod released;
mod revoked;
mod vault;

pub use error::VaultError;
pub use released::{Asked, FieldKeys, Released, ResealKeys, Resealing, SealedRecord};
pub use revoked::{KeepRevoked, follow_revoked};
pub use vault::{LookUp, Vault};
