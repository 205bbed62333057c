//! The journal of an incident: a chain.

use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_core::{Call, CallerName, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::IncidentId;

/// Reads the journal of an incident, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadJournal {
    /// Which.
    pub incident: IncidentId,
}

/// A decision or an act: who, when, from where, what and why. The entries of an incident are
/// chained: each names the hash of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JournalEntry {
    /// Which incident.
    pub incident: IncidentId,
    /// Its number there, from 1.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: CallerName,
    /// The address that the request came from.
    pub from: String,
    /// What was done, as `freeze` or `letters.start`.
    pub action: String,
    /// A sentence, without personal data.
    pub detail: String,
    /// The SHA-256 of the line before, hexadecimal; of the first, 64 zeros.
    pub previous: String,
}

impl JournalEntry {
    /// What stands before the first entry.
    pub const GENESIS: &'static str =
        "0000000000000000000000000000000000000000000000000000000000000000";

    /// The line that is hashed: its JSON, in the order of the fields, without a line break.
    #[must_use]
    pub fn line(&self) -> String {
        // Strings, numbers and an instant: JSON holds them all.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Call for ReadJournal {
    const PATH: &'static str = "/v1/incidents/journal";
    type Answer = Vec<JournalEntry>;
}

/// The hash by which the next entry names this one: SHA-256 of its line, hexadecimal.
#[must_use]
pub fn journal_hash(entry: &JournalEntry) -> String {
    hex::encode(digest(&SHA256, entry.line().as_bytes()))
}

/// The number of the first entry that is not where it was written, if there is one.
#[must_use]
pub fn broken_journal(entries: &[JournalEntry]) -> Option<u32> {
    let mut previous = JournalEntry::GENESIS.to_owned();
    for (place, entry) in (1_u32..).zip(entries) {
        if entry.number != place || entry.previous != previous {
            return Some(place);
        }
        previous = journal_hash(entry);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_changed_removed_or_moved_breaks_the_chain() {
        let mut entries: Vec<JournalEntry> = Vec::new();
        for number in 1..=5 {
            let previous =
                entries.last().map_or_else(|| JournalEntry::GENESIS.to_owned(), journal_hash);
            entries.push(JournalEntry {
                incident: IncidentId(1),
                number,
                at: "2012-01-15T04:00:00Z".parse().unwrap(),
                by: "operator-1".parse().unwrap(),
                from: "192.0.2.7".to_owned(),
                action: "freeze".to_owned(),
                detail: format!("the reason {number}"),
                previous,
            });
        }
        assert_eq!(broken_journal(&entries), None);
        let mut changed = entries.clone();
        changed[2].detail.push('!');
        assert_eq!(broken_journal(&changed), Some(4));
        let mut removed = entries.clone();
        removed.remove(1);
        assert_eq!(broken_journal(&removed), Some(2));
        let mut moved = entries.clone();
        moved.swap(2, 3);
        assert_eq!(broken_journal(&moved), Some(3));
        assert_eq!(broken_journal(&entries[1..]), Some(1));
    }
}
