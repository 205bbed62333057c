//! A version of a letter, named by its SHA-256. Two people approve this hash, and every letter is
//! made from the version behind it.

use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_core::{FieldSet, Sha256};
use response_api::Audience;
use serde::{Deserialize, Serialize};

use crate::{Facts, Files, Locale, TextsError};

/// Everything that decides the texts of a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The people who get the letter.
    pub audience: Audience,
    /// The facts that the texts state.
    pub facts: Facts,
    /// The files from which the texts are made.
    pub files: Files,
    /// The domains that letters may name, besides those of authorities in the files.
    pub domains: Vec<String>,
    /// Every text that somebody gets. No other text is sent.
    pub variants: Vec<Variant>,
}

/// The people that one text is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// The people's language, and the place whose law shapes the text.
    pub locale: Locale,
    /// The statements of the text about the readers' data.
    #[serde(flatten)]
    pub told: Told,
}

/// The statements of a letter about its reader's own data.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Told {
    /// The fields that the reader lost.
    pub fields: FieldSet,
    /// Whether everything that was read of the reader was read while the reader was signed in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub while_signed_in: bool,
}

/// A loss of which it is not known that the reader was signed in.
impl From<FieldSet> for Told {
    fn from(fields: FieldSet) -> Self {
        Self { fields, while_signed_in: false }
    }
}

/// The texts of one variant, with [`NAME`](cofferdam_mail::NAME) and [`CODE`](cofferdam_mail::CODE)
/// in the places of name and code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// The subject of the e-mail.
    pub subject: String,
    /// The plain text of the e-mail.
    pub text: String,
    /// The same text as HTML.
    pub html: String,
    /// The greeting of a person without a name.
    pub nameless: String,
}

/// A letter that can't be written.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// The files of the texts can't be used.
    #[error(transparent)]
    Texts(#[from] TextsError),
    /// A template can't be rendered.
    #[error("{file}: {cause}")]
    Template {
        /// The path of the template.
        file: String,
        /// The template engine's message, with the place of the fault.
        cause: String,
    },
    /// One of the shop's own sentences is missing in a language.
    #[error("shop.{0} has no text in {1:?}; add one to response.toml")]
    Sentence(&'static str, String),
    /// The version has no variant for the person.
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

    /// The SHA-256 of the JSON: the version's name in orders and in the store.
    #[must_use]
    pub fn id(&self) -> Sha256 {
        hash(&self.to_json())
    }

    /// Parses the JSON of the version that `id` names.
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
