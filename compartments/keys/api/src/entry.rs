//! The entries of the release log.

mod event;
mod record_list;

use cofferdam_core::{EntrySummary, Timestamp};
use serde::{Deserialize, Serialize};

pub use event::Event;
pub use record_list::RecordList;

/// The most bytes of an entry: C2SP tlog-tiles has 16 bits for the length.
pub const MAX_ENTRY: usize = 65_535;

/// An entry: one thing that `keys` did, written before the answer left. Entries are encoded with
/// postcard, so variants are only ever added at the end, and no variant changes its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The time by the clock of `keys`, to the millisecond.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
    /// The event that the entry records.
    pub event: Event,
}

/// The place of [`Event::JournalAnchored`] among the variants.
const ANCHORED: u32 = 24;

/// Bytes that are no log entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no log entry: {0}")]
pub struct BadEntry(String);

impl Entry {
    /// Encodes the entry as the log stores it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        #[expect(clippy::expect_used, reason = "postcard fails on types that Entry has none of")]
        postcard::to_stdvec(self).expect("an entry can be encoded")
    }

    /// Whether bytes begin as an anchor of a journal does. A log is searched for its few anchors without
    /// decoding each entry.
    #[must_use]
    pub fn begins_as_anchor(bytes: &[u8]) -> bool {
        let beginning = postcard::take_from_bytes::<(i64, u32)>(bytes);
        beginning.is_ok_and(|((_, variant), _)| variant == ANCHORED)
    }

    /// Decodes an entry. Every byte must belong to the entry.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadEntry> {
        match postcard::take_from_bytes(bytes) {
            Ok((entry, [])) => Ok(entry),
            Ok((_, rest)) => Err(BadEntry(format!("{} bytes are left over", rest.len()))),
            Err(e) => Err(BadEntry(e.to_string())),
        }
    }
}

/// Decodes an entry and shows the part that an index keeps: a
/// [`SummarizeEntry`](cofferdam_core::SummarizeEntry).
pub fn summarize(entry: &[u8], show: &mut dyn FnMut(&EntrySummary<'_>)) -> bool {
    let Ok(entry) = Entry::decode(entry) else { return false };
    let Entry { at, event } = &entry;
    show(&EntrySummary { at: *at, touch: event.touch(), notable: event.is_notable() });
    true
}

#[cfg(test)]
mod tests;
