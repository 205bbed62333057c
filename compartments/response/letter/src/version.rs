//! A version of a letter, named by its SHA-256. Two people approve that number, and every letter is
//! made from the version behind it.

use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_core::{FieldSet, Sha256};
use response_api::Audience;
use serde::{Deserialize, Serialize};

use crate::{Facts, Files, Locale, TextsError};

/// All that the texts of a letter follow from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The people that it goes to.
    pub audience: Audience,
    /// What happened.
    pub facts: Facts,
    /// The files of the texts.
    pub files: Files,
    /// The domains that letters may name, besides those of authorities in the files.
    pub domains: Vec<String>,
    /// Every text that somebody gets. No other text is sent.
    pub variants: Vec<Variant>,
}

/// The people that one text is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Their language, and the place whose law shapes the text.
    pub locale: Locale,
    /// The fields that they lost.
    pub fields: FieldSet,
}

/// The texts of one variant, with [`NAME`](cofferdam_mail::NAME) and [`CODE`](cofferdam_mail::CODE) in the places of name and code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// The subject line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// The greeting of a person without a name.
    pub nameless: String,
}

/// Why a letter can't be written.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// The files can't be used.
    #[error(transparent)]
    Texts(#[from] TextsError),
    /// A template fails.
    #[error("{file}: {cause}")]
    Template {
        /// The file.
        file: String,
        /// What the template engine says, and where.
        cause: String,
    },
    /// One of the shop's own sentences is missing in a language.
    #[error("shop.{0} has no text in {1:?}; add one to response.toml")]
    Sentence(&'static str, String),
    /// The version has no such variant.
    #[error("the approved version has no text for this language, place and loss")]
    Unapproved,
    /// The stored version does not have the SHA-256 that was approved.
    #[error("the stored version is not the one that was approved")]
    Changed,
}

impl cofferdam_core::InternalError for VersionError {}

impl Version {
    /// The JSON that is stored, signed for, and hashed.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Maps with string keys and plain values always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The SHA-256 of its JSON: the version's name in orders and in the store.
    #[must_use]
    pub fn id(&self) -> Sha256 {
        hash(&self.to_json())
    }

    /// Reads the JSON of the version that `id` names.
    pub fn parse(json: &str, id: Sha256) -> Result<Self, VersionError> {
        if hash(json) != id {
            return Err(VersionError::Changed);
        }
        serde_json::from_str(json).map_err(|_| VersionError::Changed)
    }
}

fn hash(json: &str) -> Sha256 {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, json.as_bytes()).as_ref());
    Sha256(bytes)
}
