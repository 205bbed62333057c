//! The files of letters' texts: a folder for each audience and language with subject, text and
//! HTML, the words of each language, and the rules of each jurisdiction.

use std::collections::BTreeMap;

use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};

use crate::words::{MONTHS, Words};

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/letters");

/// The language for people in whose own language no letters are written.
pub const FALLBACK: &str = "en";

/// The file with the rules of each jurisdiction.
pub const PLACES: &str = "places.toml";

/// Every file by its path, as `customer/en/text.txt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Files(pub BTreeMap<String, String>);

/// Texts that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TextsError {
    /// A file is malformed.
    #[error("{path}: {cause}")]
    Malformed {
        /// The path of the file.
        path: String,
        /// The fault in the file.
        cause: String,
    },
    /// A file, named by its path, is missing.
    #[error("the letters have no {0}")]
    Missing(String),
}

impl Files {
    /// The texts that Cofferdam ships.
    #[must_use]
    pub fn shipped() -> Self {
        let mut files = BTreeMap::new();
        let mut dirs = vec![&SHIPPED];
        while let Some(dir) = dirs.pop() {
            dirs.extend(dir.dirs());
            for file in dir.files() {
                let text = file.contents_utf8().unwrap_or_default().to_owned();
                files.insert(file.path().display().to_string(), text);
            }
        }
        Self(files)
    }

    /// The shipped texts with the shop's own in place of some of them.
    #[must_use]
    pub fn with(mut self, own: BTreeMap<String, String>) -> Self {
        self.0.extend(own);
        self
    }

    /// The content of the file at a path.
    pub fn get(&self, path: &str) -> Result<&str, TextsError> {
        let text = self.0.get(path);
        text.map(String::as_str).ok_or_else(|| TextsError::Missing(path.to_owned()))
    }

    /// The languages that letters are written in.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.0.keys().filter_map(|path| path.strip_prefix("words/")?.strip_suffix(".toml"))
    }

    /// The words of a language.
    pub fn words(&self, language: &str) -> Result<Words, TextsError> {
        let path = format!("words/{language}.toml");
        let malformed = |cause: String| TextsError::Malformed { path: path.clone(), cause };
        let words: Words =
            toml::from_str(self.get(&path)?).map_err(|e| malformed(e.to_string()))?;
        if words.months.len() != MONTHS {
            return Err(malformed("months must hold twelve names".to_owned()));
        }
        for (name, lines) in [("headings", &words.headings), ("required", &words.required)] {
            if lines.lacks_an_audience() {
                return Err(malformed(format!("{name} has nothing that a letter must have")));
            }
        }
        Ok(words)
    }

    /// The domains of authorities that letters may name besides the shop's own.
    pub fn official_domains(&self) -> Result<Vec<String>, TextsError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Domains {
            official: Vec<String>,
        }
        let path = "domains.toml";
        let malformed = |e: toml::de::Error| TextsError::Malformed {
            path: path.to_owned(),
            cause: e.to_string(),
        };
        toml::from_str(self.get(path)?).map(|all: Domains| all.official).map_err(malformed)
    }

    /// Parses the rules of each jurisdiction.
    pub fn places(&self) -> Result<BTreeMap<String, toml::Table>, TextsError> {
        let malformed = |e: toml::de::Error| TextsError::Malformed {
            path: PLACES.to_owned(),
            cause: e.to_string(),
        };
        toml::from_str(self.get(PLACES)?).map_err(malformed)
    }
}
