//! Errors of bags of evidence.

use std::fmt::Display;
use std::io;

use cofferdam_bag::BagError;
use response_api::{BrokenJournal, IncidentId};

use crate::StepError;

/// A bag of evidence that can't be made, or that proves nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// `response` refused, or does not answer.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The exposure is not known yet.
    #[error("incident {0} has not been scoped; run: cofferdam incident scope {0}")]
    NotScoped(IncidentId),
    /// The bag can't be written.
    #[error(transparent)]
    Bag(#[from] BagError),
    /// A file of the bag can't be written.
    #[error("a file of the bag can't be written: {0}")]
    Write(#[from] io::Error),
    /// A row can't be written.
    #[error("a row of the bag can't be written: {0}")]
    Row(#[from] csv::Error),
    /// A value can't be written as JSON.
    #[error("a file of the bag can't be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The journal was changed.
    #[error("data/{journal}: {0}", journal = super::files::JOURNAL)]
    Journal(#[from] BrokenJournal),
    /// A file below `data/` does not hold together with the others.
    #[error("data/{place}: {reason}")]
    Broken {
        /// The file below `data/`, with the line where one is at fault.
        place: String,
        /// The contradiction or the unreadable part.
        reason: String,
    },
}

impl EvidenceError {
    /// Names the file that an error is about.
    pub(super) fn broken<E: Display>(place: &str) -> impl Fn(E) -> Self + '_ {
        move |reason| Self::Broken { place: place.to_owned(), reason: reason.to_string() }
    }
}
