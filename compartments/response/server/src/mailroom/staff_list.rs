//! The staff list: a CSV file beside the configuration.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_core::{InternalError, Personal, Sha256};
use cofferdam_wire::{ConfigError, read_secret};
use serde::Deserialize;

/// A member of staff.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The member's full name.
    pub name: Personal,
    /// The member's e-mail address.
    pub email: Personal,
    /// The language of the member's letters, as `en`.
    pub language: String,
}

/// A staff list that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StaffListError {
    /// The file can't be read, or others can read it.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// A line is malformed. The message holds no personal data.
    #[error("{place}, line {line}: expected name, email and language")]
    Line {
        /// The path of the file.
        place: String,
        /// The line, from 1.
        line: u64,
    },
}

impl InternalError for StaffListError {}

/// Reads the staff list and its SHA-256. A member's number is the place in the file, from 0.
pub fn load_staff_list(path: &Path) -> Result<(Vec<Member>, Sha256), StaffListError> {
    let text = read_secret(path)?;
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, &text).as_ref());
    let mut reader = csv::Reader::from_reader(text.as_slice());
    let malformed = |line| {
        move |_: csv::Error| StaffListError::Line { place: path.display().to_string(), line }
    };
    let lines = (2..).zip(reader.deserialize());
    let members =
        lines.map(|(line, member)| member.map_err(malformed(line))).collect::<Result<_, _>>()?;
    Ok((members, Sha256(hash)))
}
