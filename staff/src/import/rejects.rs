//! The list of rows that were not imported: line and reason, and nothing of the row itself.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::ImportError;

/// A row that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// The line on which the row begins.
    pub line: u64,
    /// The reason, without any cell of the row.
    pub reason: String,
}

/// The list of rejects, open for writing.
pub struct RejectsFile {
    path: PathBuf,
    csv: csv::Writer<File>,
    count: u64,
}

impl RejectsFile {
    /// Starts a list. An earlier list keeps its rows up to a line, because this run skips those
    /// lines.
    pub fn open(path: &Path, keep_to_line: u64) -> Result<Self, ImportError> {
        let failed = |source: csv::Error| ImportError::Rejects { path: path.to_owned(), source };
        let mut draft = path.as_os_str().to_owned();
        draft.push(".new");
        let draft = PathBuf::from(draft);
        let mut csv = csv::Writer::from_path(&draft).map_err(failed)?;
        csv.write_record(["line", "reason"]).map_err(failed)?;
        let mut list = Self { path: path.to_owned(), csv, count: 0 };
        if keep_to_line > 0 {
            list.keep(path, keep_to_line)?;
        }
        list.flush()?;
        fs::rename(&draft, path).map_err(|e| failed(e.into()))?;
        Ok(list)
    }

    fn keep(&mut self, earlier: &Path, keep_to_line: u64) -> Result<(), ImportError> {
        let failed = |source| ImportError::Rejects { path: earlier.to_owned(), source };
        for reject in csv::Reader::from_path(earlier).map_err(failed)?.deserialize() {
            let reject: Reject = reject.map_err(failed)?;
            if reject.line <= keep_to_line {
                self.add(&reject)?;
            }
        }
        Ok(())
    }

    /// Adds a row to the list.
    pub fn add(&mut self, reject: &Reject) -> Result<(), ImportError> {
        self.count += 1;
        let line = reject.line.to_string();
        let written = self.csv.write_record([line.as_str(), reject.reason.as_str()]);
        written.map_err(|source| ImportError::Rejects { path: self.path.clone(), source })
    }

    /// Writes out everything that was added. This happens before a batch is sent, because a later
    /// run skips the lines that `accounts` calls done.
    pub fn flush(&mut self) -> Result<(), ImportError> {
        let flushed = self.csv.flush();
        flushed.map_err(|e| ImportError::Rejects { path: self.path.clone(), source: e.into() })
    }

    /// The number of rows on the list.
    pub const fn count(&self) -> u64 {
        self.count
    }
}
