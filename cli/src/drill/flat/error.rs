//! What can go wrong.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlatError {
    /// A file.
    #[error("can't use {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A statement, or the database itself.
    #[error("the conventional shop's database refused: {0}")]
    Database(#[from] sqlx::Error),
    /// A configuration or an answer that is not what it should be.
    #[error("the conventional shop's JSON is not as expected: {0}")]
    Json(#[from] serde_json::Error),
    /// The app server does not listen, or a request went wrong.
    #[error("the conventional app server: {0}")]
    App(String),
    /// A card number under another key.
    #[error("the card number of customer {0} does not open under the shop's key")]
    Sealed(u32),
    /// There is nobody to steal from.
    #[error("a shop needs at least one customer")]
    Empty,
}

impl FlatError {
    /// Of anything on the way to the app server.
    pub fn app(why: impl Display) -> Self {
        Self::App(why.to_string())
    }
}

/// Says which file it was.
pub fn at(path: &Path) -> impl Fn(io::Error) -> FlatError + '_ {
    move |source| FlatError::File { path: path.to_owned(), source }
}
