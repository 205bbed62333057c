//! Errors of orders.

use std::io;
use std::path::PathBuf;

use keys_api::BadPolicy;
use response_server::VersionError;

use crate::StepError;

/// Why an order can't be read, written, drafted or carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// The file can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} is no order: {source}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// The place in the file, and the fault there.
        source: serde_json::Error,
    },
    /// The order must not be signed.
    #[error("{}: {source}", path.display())]
    Faulty {
        /// The order's file.
        path: PathBuf,
        /// The fault.
        source: OrderFault,
    },
    /// The order can't be written as JSON.
    #[error("the order can't be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The next policy makes no sense.
    #[error(transparent)]
    Policy(#[from] BadPolicy),
    /// The state of `keys`, which the order starts from, is not known.
    #[error(transparent)]
    Step(#[from] StepError),
    /// Another command carries out the approval of a letter.
    #[error("the order approves a letter; run: cofferdam letters approve")]
    ForLetter,
    /// Another command carries out the warrant for a list.
    #[error("the order is for a list; run: cofferdam letters post export")]
    ForList,
}

/// Why nobody may sign an order.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderFault {
    /// A warrant for a letter comes without the letter's texts.
    #[error("the order approves a letter, and its texts are not in it")]
    NoTexts,
    /// A warrant for a letter does not name the letter's version.
    #[error("the order names no version")]
    NoVersion,
    /// The texts have another hash than the one that the warrant names.
    #[error("the texts in the order are not those that its warrant is for")]
    OtherTexts,
    /// A text can't be written.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// A text says something that no letter may say.
    #[error("no letter may say this: {0}")]
    Text(String),
}
