//! The `Vault`: the one way in which a compartment asks for keys, and seals and opens its data.
//!
//! A caller names records and fields. The [`Vault`] groups them for the call, compares the answer
//! with the question, and hands out keys by record and by field, so that no list is ever paired
//! with another by position.
//!
//! A compartment holds a half of every key in custody of its own ([`Halves`]). The [`Vault`] combines it
//! with the part that `keys` releases; verifiers and indexes rest under it.
//!
//! [`OwnState`] asks whether a compartment's database is the newest before it serves. It keeps the
//! highest checkpoint of each release log that it is told, and tells if a log was rewritten.
//! [`follow_revoked`] learns which keys of certificates were revoked, [`follow_holds`] whether `keys` knows of
//! every freeze, and [`Groups`] which callers share sessions.
//!
//! May touch: `keys`, over the wire; of a compartment's database, the row about its own state, the
//! halves, the revoked keys, the freezes and the checkpoints; the custody of its halves. Called by:
//! `accounts`, `payments` and `response`.

mod error;
mod freezes;
mod groups;
mod half_custody;
mod halves;
mod own_state;
mod passkeys;
mod released;
mod revoked;
mod seen_log;
mod vault;

pub use error::VaultError;
pub use freezes::follow_holds;
pub use groups::Groups;
pub use half_custody::{
    HalfConfig, HalfError, HalfSpan, MadeHalf, make_halves, open_halves, reach_of_halves,
};
pub use halves::{AtRest, Halves, Resting};
pub use own_state::{OwnState, StateDifference, StateError, StateParts};
pub use passkeys::ShownPasskey;
pub use released::{Asked, FieldKeys, Released, ResealKeys, Resealing, SealedRecord};
pub use revoked::follow_revoked;
pub use seen_log::LogRewritten;
pub use vault::{Allowed, LookUp, Typed, Vault};
