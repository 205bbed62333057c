//! A mapping with what explains the lines of the logs besides it, read before the logs are.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::ops::Range;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use cofferdam_core::CallerName;
use cofferdam_foreign::{Catalogue, LogMapping, read_definitions};
use response_api::{LogSource, LoggedReads, MAY_LACK_READS};

use super::{Coverage, Readers};
use crate::import::error::ImportError;

/// A mapping with its text.
pub struct Understood {
    /// The text of the mapping.
    text: Vec<u8>,
    /// The texts of the mapping and of what explains the lines besides it.
    pub whole: Vec<u8>,
    pub mapping: LogMapping,
}

impl Understood {
    /// Reads a mapping, the catalogue that it names, and the definitions in the logs. Refuses a mapping of
    /// whose tables the logs name none, if they name a similar one.
    pub async fn read(
        path: &Path,
        files: &[PathBuf],
        coverage: Coverage,
    ) -> Result<Self, ImportError> {
        let (path, files) = (path.to_owned(), files.to_owned());
        tokio::task::spawn_blocking(move || {
            let understood = Self::read_here(&path, &files)?;
            match understood.mapping.misspelt().filter(|_| !coverage.unnamed) {
                Some(similar) => {
                    let tables = understood.mapping.unnamed_tables().join(", ");
                    let similar = similar.to_owned();
                    Err(ImportError::NoTableNamed { mapping: path, tables, similar })
                }
                None => Ok(understood),
            }
        })
        .await?
    }

    fn read_here(path: &Path, files: &[PathBuf]) -> Result<Self, ImportError> {
        let text = std::fs::read_to_string(path).map_err(ImportError::read(path))?;
        let mut mapping = LogMapping::parse(&text).map_err(ImportError::read(path))?;
        let text = text.into_bytes();
        let mut whole = text.clone();
        if let Some(file) = mapping.catalogue() {
            let file = path.parent().unwrap_or(Path::new("")).join(file);
            let text = std::fs::read_to_string(&file).map_err(ImportError::read(&file))?;
            let catalogue = Catalogue::parse(&text).map_err(ImportError::read(&file))?;
            mapping.set_catalogue(catalogue).map_err(ImportError::read(path))?;
            whole.extend(text.into_bytes());
        }
        for file in files {
            let log = File::open(file).map_err(ImportError::read(file))?;
            let log = BufReader::with_capacity(1 << 20, log);
            read_definitions(&mut mapping, log).map_err(ImportError::read(file))?;
        }
        mapping.check_logs().map_err(ImportError::read(path))?;
        whole.extend(mapping.shown_changes().into_bytes());
        Ok(Self { text, whole, mapping })
    }

    /// Whether each file is known to hold every read, as far as the lines and the catalogue show. A user
    /// whose reads one file of a run has is one whose reads the server logs in all of them. Another run
    /// may be another server's.
    pub fn logged_reads(&self, files: &[&Readers], runs: &[Range<usize>]) -> Vec<LoggedReads> {
        let of_run = |run: &Range<usize>| self.logged_reads_of(&files[run.clone()]);
        runs.iter().flat_map(|run| vec![of_run(run); run.len()]).collect()
    }

    fn logged_reads_of(&self, files: &[&Readers]) -> LoggedReads {
        let unaudited = self.mapping.unaudited_roles();
        if !unaudited.is_empty() {
            return LoggedReads::LeavesOut(unaudited.to_vec());
        }
        let may_lack = MAY_LACK_READS.contains(&self.mapping.format());
        if may_lack && !Readers::show_all(files.iter().copied()) {
            return LoggedReads::NotShown;
        }
        LoggedReads::Shown
    }

    /// The source of the logs. Files with the same server, or else the same mapping, have the same.
    pub fn source(&self) -> LogSource {
        let source = self.mapping.source();
        let mut context = Context::new(&SHA256);
        context.update(&self.text);
        let digest = hex::encode(context.finish());
        let server = source.server.as_ref().map_or(&digest[..16], CallerName::as_str);
        LogSource {
            name: format!("{} {server}", self.mapping.format()),
            server: source.server.clone(),
            clients: source.clients,
            covers: source.covers.into_iter().collect::<BTreeSet<_>>(),
            database: source.database,
        }
    }
}
