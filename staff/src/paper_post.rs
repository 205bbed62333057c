//! The list of people whom no e-mail reached, for a printer.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_wire::Client;
use response_api::{LetterId, PaperPostPerson, ReadPaperPost};
use schemars::JsonSchema;
use serde::Serialize;

use crate::step::call;
use crate::{Progress, StepError};

/// The number of people on a list, and of those left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ListCounts {
    /// The number of rows on the list.
    pub written: u64,
    /// The number of people left out because a row has the same name and address.
    pub same: u64,
    /// The number of decoys, and of people without an address.
    pub without: u64,
}

/// Writes the list under an open warrant, into a new CSV file that only its owner can read.
pub async fn write_list(
    client: &Client,
    letter: LetterId,
    warrant: &str,
    out: &Path,
    progress: Progress<'_>,
) -> Result<ListCounts, StepError> {
    let mut list = List::create(out)?;
    let mut from = Some(0);
    while let Some(first) = from {
        let page = ReadPaperPost { letter, warrant: warrant.to_owned(), from: first };
        let page = call(client, &page).await?;
        for person in &page.people {
            list.add(person)?;
        }
        list.counts.without += u64::from(page.without);
        from = page.next;
        let ListCounts { written, same, without } = list.counts;
        progress(written + same + without, 0);
    }
    list.finish()
}

/// The list under construction. A household with two accounts gets one letter.
struct List {
    path: PathBuf,
    rows: csv::Writer<File>,
    seen: HashSet<[u8; 16]>,
    counts: ListCounts,
}

impl List {
    fn create(path: &Path) -> Result<Self, StepError> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(StepError::file(path))?;
        let mut rows = csv::Writer::from_writer(file);
        let head = rows.write_record(["person", "why", "language", "name", "address"]);
        head.map_err(|e| StepError::file(path)(e.into()))?;
        let path = path.to_owned();
        Ok(Self { path, rows, seen: HashSet::new(), counts: ListCounts::default() })
    }

    fn add(&mut self, of: &PaperPostPerson) -> Result<(), StepError> {
        if !self.seen.insert(household(of.name.expose(), of.address.expose())) {
            self.counts.same += 1;
            return Ok(());
        }
        self.counts.written += 1;
        let person = of.person.to_string();
        let (why, name, address) = (of.why.as_str(), of.name.expose(), of.address.expose());
        let columns = [person.as_str(), why, &of.language, name, address];
        let row = self.rows.write_record(columns.map(harmless));
        row.map_err(|e| StepError::file(&self.path)(e.into()))
    }

    fn finish(self) -> Result<ListCounts, StepError> {
        let Self { path, rows, counts, .. } = self;
        let file = rows.into_inner().map_err(|e| StepError::file(&path)(e.into_error()))?;
        file.sync_all().map_err(StepError::file(&path))?;
        Ok(counts)
    }
}

/// A digest that is the same for people who get one letter. Letter case, blanks and punctuation
/// don't count.
fn household(name: &str, address: &str) -> [u8; 16] {
    let mut plain = String::with_capacity(name.len() + address.len());
    for text in [name, address] {
        let letters = text.chars().filter(|c| c.is_alphanumeric());
        plain.extend(letters.flat_map(char::to_lowercase));
        plain.push('\n');
    }
    let mut hash = [0; 16];
    hash.copy_from_slice(&digest(&SHA256, plain.as_bytes()).as_ref()[..16]);
    hash
}

/// A cell that no spreadsheet takes for a formula. People choose their own names, so a name may be
/// one.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::Personal;
    use response_api::NotReached;

    use super::*;

    #[test]
    fn a_household_gets_one_letter_and_no_formula() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.csv");
        let mut list = List::create(&path).unwrap();
        let person = |person, name: &str, address: &str| PaperPostPerson {
            person,
            why: NotReached::Full,
            language: "en".to_owned(),
            name: Personal::new(name),
            address: Personal::new(address),
        };
        list.add(&person(1, "Ada Lovelace", "12 St James's Sq., London")).unwrap();
        list.add(&person(2, "ADA LOVELACE", "12 St James's  Sq, London")).unwrap();
        list.add(&person(3, "=cmd()", "1 Road")).unwrap();
        let counts = list.finish().unwrap();
        assert_eq!(counts, ListCounts { written: 2, same: 1, without: 0 });
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("3,full,en,'=cmd(),1 Road"), "{text}");
        assert!(List::create(&path).is_err(), "the list is written over");
    }
}
