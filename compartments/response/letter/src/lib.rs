//! The content of a letter: its texts, the facts that it states, its version, its faults, and its
//! codes. The same version and the same person give the same letter, byte for byte.
//!
//! May touch: no SQL, no HTTP, no files. The caller hands in the shop's own texts; the shipped ones
//! are compiled in. Called by: the server, which drafts and sends; `staff`, which renders the texts
//! of an order before somebody signs it; and the drill.

mod claims;
mod codes;
mod conditions;
mod facts;
mod files;
pub mod format;
mod lint;
mod message_ids;
mod places;
mod shop;
mod version;
mod words;
mod writer;

pub use claims::{Claim, Claims};
pub use codes::{ForgedReturnAddress, LetterCodes};
pub use conditions::{Condition, Current, VoidedAll};
pub use facts::{Facts, Sender};
pub use files::{FALLBACK, Files, TextsError};
pub use message_ids::{IdForm, MessageIds};
pub use places::Locale;
pub use shop::Shop;
pub use version::{Texts, Told, Variant, Version, VersionError};
pub use words::{VerifyWords, Words};
pub use writer::Writer;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
