//! The anchors of journals in a copy of a release log.

use std::collections::BTreeMap;

use cofferdam_core::{JournalHead, Sha256};
use keys_api::{Entry, Event};
use response_api::IncidentId;

/// The anchors of each journal, in the order of the log.
#[derive(Debug, Default)]
pub struct Anchors(BTreeMap<IncidentId, Vec<Anchor>>);

/// An anchor of a journal, and its place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// The number of the log entry.
    pub index: u64,
    /// The anchored end of the journal.
    pub end: JournalHead,
}

impl Anchors {
    /// Takes the log entry with number `index`.
    pub fn add(&mut self, index: u64, entry: &Entry) {
        if let Event::JournalAnchored { journal, length, head, .. } = &entry.event {
            let end = JournalHead { length: *length, head: Sha256(*head) };
            self.0.entry(IncidentId(*journal)).or_default().push(Anchor { index, end });
        }
    }

    /// Forgets the anchors from log entry `size` on.
    pub fn truncate(&mut self, size: u64) {
        self.0.values_mut().for_each(|all| all.retain(|anchor| anchor.index < size));
        self.0.retain(|_, all| !all.is_empty());
    }

    /// Adds the anchors of later entries.
    pub fn append(&mut self, later: Self) {
        for (journal, all) in later.0 {
            self.0.entry(journal).or_default().extend(all);
        }
    }

    /// The anchors of one journal.
    #[must_use]
    pub fn of(&self, journal: IncidentId) -> &[Anchor] {
        self.0.get(&journal).map_or(&[], Vec::as_slice)
    }

    /// The anchored ends of each journal.
    pub fn ends(&self) -> impl Iterator<Item = (IncidentId, impl Iterator<Item = JournalHead>)> {
        self.0.iter().map(|(journal, all)| (*journal, all.iter().map(|anchor| anchor.end)))
    }
}
