//! The entries of a brought access log. The entries of the release log are about customers of
//! `accounts`; these are about people of the brought table.

use cofferdam_core::{
    Access, CallerName, EntrySummary, FieldSet, Operation, Record, Timestamp, Touch, Whose,
};
use serde::{Deserialize, Serialize};

/// The most records in one entry; an access to more takes several entries.
const MAX_RECORDS: usize = 10_000;
/// The most characters that are kept of the reason why an access can't be resolved.
const MAX_REASON: usize = 200;

/// The reason of an access with a name that fits nobody, and could be anybody's.
const NOBODYS_NAME: &str = "a name fits nobody in the table, and is not written as its names are";

/// The people whom an access names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// The records of those in the table, ascending and each once.
    pub records: Vec<Record>,
    /// The number of names of people who are certainly not in the table.
    pub unknown: u32,
    /// The number of names that fit nobody and could be anybody's.
    pub doubtful: u32,
}

/// One access, with its people looked up in the brought table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessEntry {
    /// The instant of the access, in milliseconds since 1970. It comes first because entries are
    /// sorted by it.
    pub at_ms: i64,
    /// The line in the log's file, from 1.
    pub line: u64,
    /// The client that read or wrote.
    pub caller: CallerName,
    /// The user or server as which the client acted.
    pub via: CallerName,
    /// `Release` for data that went out, `Seal` for data that came in.
    pub operation: Operation,
    /// The fields that the access touched.
    pub fields: FieldSet,
    /// The records of the people, ascending.
    pub records: Vec<Record>,
    /// The reason why its people can't be told; the access then counts as everybody's.
    pub everybody: Option<String>,
    /// The number of its names of people who are not in the table.
    pub unknown: u32,
}

impl AccessEntry {
    /// Makes the entries of an access. `find` looks up the people whom the access names.
    pub fn of(access: &Access, find: impl FnOnce(&Whose) -> Named) -> Vec<Self> {
        let Named { records, unknown, doubtful } = match &access.whose {
            Whose::Everybody { .. } => Named::default(),
            named => find(named),
        };
        let everybody = match &access.whose {
            Whose::Everybody { why } => Some(why.chars().take(MAX_REASON).collect()),
            _ if doubtful > 0 => Some(NOBODYS_NAME.to_owned()),
            _ => None,
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

    /// Encodes the entry as it is stored.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Postcard can encode every type in an entry, so this never fails.
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// Decodes a stored entry.
    pub fn decode(bytes: &[u8]) -> Result<Self, postcard::Error> {
        postcard::from_bytes(bytes)
    }

    /// The instant of the access.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.at_ms).unwrap_or_default()
    }
}

/// Reads the instant of a stored entry, in milliseconds since 1970, without decoding the rest.
#[must_use]
pub fn access_time(bytes: &[u8]) -> Option<i64> {
    postcard::take_from_bytes(bytes).ok().map(|(at, _)| at)
}

/// Shows the fields and records that a stored entry touched; `false` if it can't be decoded.
pub fn summarize(bytes: &[u8], show: &mut dyn FnMut(&EntrySummary<'_>)) -> bool {
    let Ok(entry) = AccessEntry::decode(bytes) else { return false };
    show(&EntrySummary {
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

#[cfg(test)]
mod tests {
    use cofferdam_core::Field;

    use super::*;

    fn access(whose: Whose) -> Access {
        Access {
            at: Timestamp::from_millisecond(1_500).unwrap(),
            line: 7,
            caller: "app-7".parse().unwrap(),
            via: "reporting".parse().unwrap(),
            operation: Operation::Release,
            fields: FieldSet::EMPTY.with(Field::Email),
            whose,
        }
    }

    #[test]
    fn an_access_to_many_people_takes_several_entries_and_counts_its_unknown_names_once() {
        let people: Vec<_> = (0..25_000).map(Record).collect();
        let named = access(Whose::Keys(vec![String::from("k").into()]));
        let entries =
            AccessEntry::of(&named, |_| Named { records: people.clone(), unknown: 3, doubtful: 0 });
        assert_eq!(
            entries.iter().map(|e| e.records.len()).collect::<Vec<_>>(),
            [10_000, 10_000, 5_000]
        );
        assert_eq!(entries.iter().map(|e| e.unknown).sum::<u32>(), 3);
        let all: Vec<_> = entries.iter().flat_map(|e| e.records.clone()).collect();
        assert_eq!(all, people);
    }

    #[test]
    fn an_access_with_a_name_that_could_be_anybodys_is_everybodys() {
        let named = access(Whose::Keys(vec![String::from("007").into()]));
        let found = Named { records: vec![Record(3)], unknown: 0, doubtful: 1 };
        let [entry] = AccessEntry::of(&named, |_| found).try_into().unwrap();
        assert_eq!((entry.everybody.as_deref(), entry.records.len()), (Some(NOBODYS_NAME), 1));
    }

    #[test]
    fn an_access_that_is_nobodys_keeps_its_reason_and_its_place() {
        let unresolved = access(Whose::Everybody { why: "x".repeat(300) });
        let entries = AccessEntry::of(&unresolved, |_| unreachable!("nobody is looked up"));
        let [entry] = entries.as_slice() else { panic!("one entry") };
        assert_eq!(entry.everybody.as_ref().map(String::len), Some(200));
        assert_eq!((entry.line, entry.at_ms), (7, 1_500));

        let bytes = entry.encode();
        assert_eq!(AccessEntry::decode(&bytes).as_ref(), Ok(entry));
        assert_eq!(access_time(&bytes), Some(1_500));
        let mut seen = Vec::new();
        assert!(summarize(&bytes, &mut |summary| seen.push((summary.at, summary.notable))));
        assert_eq!(seen, [(unresolved.at, true)]);
        assert!(!summarize(&bytes[..3], &mut |_| ()));
    }
}
