//! Errors of the conventional shop.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

/// A failure of the conventional shop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlatError {
    /// A file can't be used.
    #[error("can't use {}: {source}", path.display())]
    File {
        /// The path of the file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The database refused a statement, or can't be opened.
    #[error("the conventional shop's database refused: {0}")]
    Database(#[from] sqlx::Error),
    /// The configuration or an answer is not the JSON that is expected.
    #[error("the conventional shop's JSON is not as expected: {0}")]
    Json(#[from] serde_json::Error),
    /// The app server does not listen, or a request failed.
    #[error("the conventional app server: {0}")]
    App(String),
    /// A card number is sealed under another key.
    #[error("the card number of customer {0} does not open under the shop's key")]
    Sealed(u32),
    /// The shop has no customers.
    #[error("a shop needs at least one customer")]
    Empty,
}

impl FlatError {
    /// The error of a request to the app server, or of the app server itself.
    pub fn app(why: impl Display) -> Self {
        Self::App(why.to_string())
    }
}

/// Names the file of a system error.
pub fn at(path: &Path) -> impl Fn(io::Error) -> FlatError + '_ {
    move |source| FlatError::File { path: path.to_owned(), source }
}
