//! An entry of an access log that was brought: what the index and scopes are made of, as the
//! release log's entries are for customers of `accounts`.

use cofferdam_core::{
    Access, CallerName, FieldSet, Glance, Operation, Record, Timestamp, Touch, Whose,
};
use serde::{Deserialize, Serialize};

/// So many records stand in one entry; more take several.
const MAX_RECORDS: usize = 10_000;

/// One access, its people looked up on the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessEntry {
    /// When, in milliseconds since 1970. First, since entries are put in order by it.
    pub at_ms: i64,
    /// Where in its file.
    pub line: u64,
    /// From where.
    pub caller: CallerName,
    /// As whom.
    pub via: CallerName,
    /// Data that went out, or came in.
    pub operation: Operation,
    /// Which.
    pub fields: FieldSet,
    /// Whose, ascending.
    pub records: Vec<Record>,
    /// Why nobody can be told, where it counts as everybody's.
    pub everybody: Option<String>,
    /// How many it names that are not on the roster.
    pub unknown: u32,
}

impl AccessEntry {
    /// The entries of an access. `find` gives the records of everybody whom it names, ascending,
    /// none twice, and how many names there are that nobody has.
    pub fn of(access: &Access, find: impl FnOnce(&Whose) -> (Vec<Record>, u32)) -> Vec<Self> {
        let (records, unknown, everybody) = match &access.whose {
            Whose::Everybody { why } => (Vec::new(), 0, Some(why.chars().take(200).collect())),
            named => {
                let (records, unknown) = find(named);
                (records, unknown, None)
            }
        };
        let entry = |records: &[Record], unknown| Self {
            at_ms: access.at.as_millisecond(),
            line: access.line,
            caller: access.caller.clone(),
            via: access.via.clone(),
            operation: access.operation,
            fields: access.fields,
            records: records.to_vec(),
            everybody: everybody.clone(),
            unknown,
        };
        let (first, rest) = records.split_at(records.len().min(MAX_RECORDS));
        let mut entries = vec![entry(first, unknown)];
        entries.extend(rest.chunks(MAX_RECORDS).map(|records| entry(records, 0)));
        entries
    }

    /// As it is stored.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Only types of which postcard knows all: it can't fail.
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// Reads what was stored.
    pub fn decode(bytes: &[u8]) -> Result<Self, postcard::Error> {
        postcard::from_bytes(bytes)
    }

    /// When.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.at_ms).unwrap_or_default()
    }
}

/// The instant of a stored entry.
pub fn at_ms(bytes: &[u8]) -> Option<i64> {
    postcard::take_from_bytes(bytes).ok().map(|(at, _)| at)
}

/// Reads a stored entry for an index.
pub fn glance(bytes: &[u8], show: &mut dyn FnMut(&Glance<'_>)) -> bool {
    let Ok(entry) = AccessEntry::decode(bytes) else { return false };
    show(&Glance {
        at: entry.at(),
        touch: Some(Touch {
            caller: &entry.caller,
            via: &entry.via,
            operation: entry.operation,
            fields: entry.fields,
            records: &entry.records,
        }),
        notable: entry.everybody.is_some(),
    });
    true
}
