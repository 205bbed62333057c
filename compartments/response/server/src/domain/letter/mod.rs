//! What a letter says, to whom. The same version and the same person give the same bytes.

mod facts;
mod lint;
mod texts;
mod version;

pub use facts::{Done, Facts};
pub use texts::{FALLBACK, Files, VerifyWords};
pub use version::{Body, Texts, Variant, VersionError, Writer};

#[cfg(test)]
mod tests;
