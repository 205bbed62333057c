//! The staff roster: a CSV file beside the configuration.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_core::Personal;
use cofferdam_wire::{ConfigError, read_secret};
use serde::Deserialize;

/// A member of staff.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The name in full.
    pub name: Personal,
    /// The e-mail address.
    pub email: Personal,
    /// The language, as `en`.
    pub language: String,
}

/// Why the roster can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// The file can't be read, or others can read it.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// A line is not as it should be; the message has no personal data.
    #[error("{place}, line {line}: expected name, email and language")]
    Line {
        /// The file.
        place: String,
        /// The line, from 1.
        line: u64,
    },
}

impl cofferdam_core::InternalError for RosterError {}

/// Reads the roster; a member's number is the place in the file, from 0. With it the file's SHA-256.
pub fn load(path: &Path) -> Result<(Vec<Member>, String), RosterError> {
    let text = read_secret(path)?;
    let hash = hex::encode(digest(&SHA256, &text).as_ref());
    let mut reader = csv::Reader::from_reader(text.as_slice());
    let members = (2..)
        .zip(reader.deserialize())
        .map(|(line, member)| {
            member.map_err(|_: csv::Error| RosterError::Line {
                place: path.display().to_string(),
                line,
            })
        })
        .collect::<Result<_, _>>()?;
    Ok((members, hash))
}
