//! The rules of an import, and the outcome of each line.
//!
//! The tables do not link lines to records, because decoys have no line. So a line up to
//! `done_to_line` was imported before if its address is known, and refused before if its reason is
//! known. Any other line is new, so that nothing is lost if calls of a file overtake each other.

use accounts_api::{
    ImportCustomers, ImportOutcome, ImportResult, ImportRow, LegacyCredential, MAX_IMPORT,
};
use cofferdam_core::{CustomerNumber, Record};

use super::password::{Hashed, Scheme};
use super::profile;
use super::settle::{Newcomer, Outcome};

/// The longest name of a source, in bytes.
const MAX_SOURCE: usize = 200;
/// The longest legacy salt, in bytes.
const MAX_SALT: usize = 200;
const SAME_ADDRESS: &str = "another customer has this e-mail address";

/// A call that can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadImport {
    /// The name of the source is empty or too long.
    #[error("source has 1 to {MAX_SOURCE} bytes")]
    Source,
    /// There are no rows, or too many.
    #[error("a call has 1 to {MAX_IMPORT} rows")]
    Count,
    /// The lines do not ascend, one appears twice, or one is 0.
    #[error("lines must be ascending from 1, none twice")]
    Lines,
}

/// A line that did not become a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The line in the file.
    pub line: u64,
    /// The reason, without personal data.
    pub reason: String,
}

/// Checks the form of a call. Returns its first and last line.
pub fn check(call: &ImportCustomers) -> Result<(u64, u64), BadImport> {
    if call.source.is_empty() || call.source.len() > MAX_SOURCE {
        return Err(BadImport::Source);
    }
    let (Some(first), Some(last)) = (call.rows.first(), call.rows.last()) else {
        return Err(BadImport::Count);
    };
    if call.rows.len() > MAX_IMPORT {
        return Err(BadImport::Count);
    }
    if first.line == 0 || !call.rows.is_sorted_by(|a, b| a.line < b.line) {
        return Err(BadImport::Lines);
    }
    Ok((first.line, last.line))
}

/// The newcomer in a row, or the reason of the refusal, without personal data.
pub fn newcomer(row: ImportRow) -> Result<Newcomer, String> {
    profile::check(&row.profile).map_err(|e| e.to_string())?;
    let LegacyCredential { scheme, salt, digest } = row.credential;
    if salt.expose().len() > MAX_SALT {
        return Err(format!("the salt has more than {MAX_SALT} bytes"));
    }
    let salt = salt.expose().as_bytes().to_vec();
    let password = Hashed { scheme: Scheme::Legacy(scheme), salt, hash: digest };
    Ok(Newcomer { profile: row.profile, password })
}

/// The outcome of every line, in their order. `refused` has each line's reason not to be a
/// newcomer, if it has one; `outcomes` are in the order of the newcomers. `number` makes customer
/// numbers.
#[must_use]
pub fn merge(
    refused: Vec<(u64, Option<String>)>,
    outcomes: &[Outcome],
    done_to_line: u64,
    number: impl Fn(Record) -> CustomerNumber,
) -> Vec<ImportOutcome> {
    let mut outcomes = outcomes.iter();
    let mut result = |line: u64, refused: Option<String>| match refused {
        Some(reason) => ImportResult::Rejected(reason),
        None => match outcomes.next() {
            Some(Outcome::New(record)) => ImportResult::Created(number(*record)),
            Some(Outcome::Taken(record)) if line <= done_to_line => {
                ImportResult::AlreadyThere(number(*record))
            }
            _ => ImportResult::Rejected(SAME_ADDRESS.into()),
        },
    };
    let outcome = |(line, refused)| ImportOutcome { line, result: result(line, refused) };
    refused.into_iter().map(outcome).collect()
}

/// The lines that are refused for the first time, with their reasons.
pub fn new_rejects(outcomes: &[ImportOutcome], is_known: impl Fn(u64) -> bool) -> Vec<Reject> {
    let reject = |outcome: &ImportOutcome| match &outcome.result {
        ImportResult::Rejected(reason) if !is_known(outcome.line) => {
            Some(Reject { line: outcome.line, reason: reason.clone() })
        }
        _ => None,
    };
    outcomes.iter().filter_map(reject).collect()
}

#[cfg(test)]
mod tests {
    use accounts_api::LegacyScheme;
    use cofferdam_core::{KeyBytes, Personal};

    use super::*;
    use crate::domain::parts;

    fn row(line: u64) -> ImportRow {
        let mut profile = parts::people().remove(0);
        profile.email = Personal::new("ada@post.example");
        let credential = LegacyCredential {
            scheme: LegacyScheme::SaltedSha1,
            salt: Personal::new("salt"),
            digest: KeyBytes::new([1; 32]),
        };
        ImportRow { line, profile, credential }
    }

    #[test]
    fn a_call_has_a_source_and_ascending_lines() {
        let checked = |source: String, lines: Vec<u64>| {
            check(&ImportCustomers { source, rows: lines.into_iter().map(row).collect() })
        };
        for (bytes, lines, expected) in [
            (1, vec![1], Ok((1, 1))),
            (200, vec![3, 9], Ok((3, 9))),
            (0, vec![1], Err(BadImport::Source)),
            (201, vec![1], Err(BadImport::Source)),
            (1, vec![], Err(BadImport::Count)),
            (1, (1..=1_000).collect(), Ok((1, 1_000))),
            (1, (1..=1_001).collect(), Err(BadImport::Count)),
            (1, vec![0, 1], Err(BadImport::Lines)),
            (1, vec![2, 1], Err(BadImport::Lines)),
            (1, vec![1, 1], Err(BadImport::Lines)),
        ] {
            let shown = lines.len();
            assert_eq!(checked("s".repeat(bytes), lines), expected, "{bytes} {shown}");
        }
    }

    #[test]
    fn a_row_is_refused_for_its_profile_or_its_salt() {
        let good = newcomer(row(1)).unwrap();
        assert_eq!(good.password.scheme, Scheme::Legacy(LegacyScheme::SaltedSha1));
        assert_eq!(
            (good.password.salt.as_slice(), good.password.hash.expose()),
            (&b"salt"[..], &[1; 32])
        );
        for (bytes, taken) in [(200, true), (201, false)] {
            let mut long = row(1);
            long.credential.salt = Personal::new("s".repeat(bytes));
            assert_eq!(newcomer(long).is_ok(), taken, "{bytes}");
        }
        let mut nameless = row(1);
        nameless.profile.name = Personal::new("");
        assert_eq!(newcomer(nameless).unwrap_err(), "name is empty");
    }

    #[test]
    fn every_line_has_its_outcome() {
        let refused =
            vec![(1, None), (2, Some("name is empty".to_owned())), (3, None), (4, None), (5, None)];
        let number = |record: Record| CustomerNumber(record.0 + 100);
        let (new, taken) = (|n| Outcome::New(Record(n)), |n| Outcome::Taken(Record(n)));
        let outcomes = merge(refused, &[new(7), taken(8), taken(9), new(10)], 3, number);
        let results: Vec<_> = outcomes.iter().map(|of| (of.line, of.result.clone())).collect();
        let rejected = |reason: &str| ImportResult::Rejected(reason.to_owned());
        let expected = [
            (1, ImportResult::Created(CustomerNumber(107))),
            (2, rejected("name is empty")),
            (3, ImportResult::AlreadyThere(CustomerNumber(108))),
            (4, rejected(SAME_ADDRESS)),
            (5, ImportResult::Created(CustomerNumber(110))),
        ];
        assert_eq!(results, expected);
        let rejects = new_rejects(&outcomes, |line| line == 2);
        assert_eq!(rejects, [Reject { line: 4, reason: SAME_ADDRESS.to_owned() }]);
    }
}
