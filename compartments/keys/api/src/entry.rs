//! One entry of the release log.

use cofferdam_core::{
    CallerName, Domain, Epoch, FieldSet, Glance, Operation, Record, Timestamp, Touch,
};
use serde::{Deserialize, Serialize};

use crate::{Budget, EpochChange, WarrantId};

/// The most bytes that an entry takes: tlog-tiles gives 16 bits for its length.
pub const MAX_ENTRY: usize = 65_535;

/// Something that `keys` did, written before the answer left. Encoded with postcard; variants
/// and fields are only ever added at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, by the clock of `keys`, to the millisecond.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
    /// What.
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The server started with the log in order.
    Started,
    /// The server started and cut a torn end off the log: bytes that were being written when
    /// it died, for which no answer had left.
    Recovered {
        /// How many bytes were cut.
        bytes_cut: u64,
    },
    /// Keys were released.
    Released {
        /// For whom.
        caller: CallerName,
        /// Through which compartment.
        via: CallerName,
        /// Whose keys.
        domain: Domain,
        /// To read or to write.
        operation: Operation,
        /// Which fields.
        fields: FieldSet,
        /// Of which epoch.
        epoch: Epoch,
        /// Of which records.
        records: RecordList,
        /// Under which warrant, if any.
        warrant: Option<WarrantId>,
    },
    /// Passwords were hardened: somebody presented them at `caller`.
    Hardened {
        /// Where they were typed.
        caller: CallerName,
        /// Through which compartment.
        via: CallerName,
        /// Whose; [`Record::NOBODY`] is left out.
        records: RecordList,
    },
    /// Addresses were looked up.
    Indexed {
        /// For whom.
        caller: CallerName,
        /// Through which compartment.
        via: CallerName,
        /// How many.
        count: u32,
    },
    /// A caller was frozen or thawed.
    Froze {
        /// Who.
        caller: CallerName,
        /// By whom.
        by: CallerName,
        /// Frozen, or thawed.
        frozen: bool,
        /// Why.
        reason: String,
    },
    /// A warrant with two good signatures was opened.
    WarrantOpened {
        /// Which.
        warrant: WarrantId,
        /// Its caller.
        caller: CallerName,
        /// Its fields.
        fields: FieldSet,
        /// How many records it covers.
        records: u32,
        /// The names of the two who signed.
        approvers: [String; 2],
    },
    /// A warrant was ended.
    WarrantClosed {
        /// Which.
        warrant: WarrantId,
        /// By whom.
        by: CallerName,
    },
    /// Records were erased: their keys are never released again.
    Erased {
        /// For whom.
        caller: CallerName,
        /// Through which compartment.
        via: CallerName,
        /// Where.
        domain: Domain,
        /// Which.
        records: RecordList,
    },
    /// Grants and budgets were changed.
    PolicyChanged {
        /// The version in force from here on.
        version: u64,
        /// SHA-256 of the bytes that were signed.
        digest: [u8; 32],
        /// The names of the two who signed.
        approvers: [String; 2],
    },
    /// A domain's master key was renewed, or an old one destroyed.
    EpochChanged {
        /// Whose.
        domain: Domain,
        /// What was done.
        change: EpochChange,
        /// The names of the two who signed.
        approvers: [String; 2],
    },
    /// The credentials of all customers were to be voided.
    VoidApproved {
        /// The incident's number.
        incident: u32,
        /// Credentials set up to here.
        #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
        set_before: Timestamp,
        /// Who signed: two, or one who broke the glass.
        approvers: Vec<String>,
        /// Why one had to do.
        break_glass: Option<String>,
    },
    /// A caller's budget was lowered below the policy's, or no longer is.
    BudgetLowered {
        /// Whose.
        caller: CallerName,
        /// For what.
        operation: Operation,
        /// The lower one; `None`: the policy's again.
        budget: Option<Budget>,
        /// By whom.
        by: CallerName,
        /// Why.
        reason: String,
    },
    /// A domain's master key was renewed on one person's order.
    EpochForced {
        /// Whose.
        domain: Domain,
        /// What was done.
        change: EpochChange,
        /// Who signed.
        approver: String,
        /// Why one had to do.
        reason: String,
    },
}

/// Bytes that are no log entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a log entry: {0}")]
pub struct BadEntry(String);

impl Entry {
    /// The bytes that stand in the log.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        #[expect(
            clippy::expect_used,
            reason = "postcard fails only on types that Entry has none of"
        )]
        postcard::to_stdvec(self).expect("an entry can be encoded")
    }

    /// Reads an entry; every byte must be used.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadEntry> {
        match postcard::take_from_bytes(bytes) {
            Ok((entry, [])) => Ok(entry),
            Ok((_, rest)) => Err(BadEntry(format!("{} bytes are left over", rest.len()))),
            Err(e) => Err(BadEntry(e.to_string())),
        }
    }
}

impl Event {
    /// Whose data it touched, if any: keys given out, passwords presented.
    #[must_use]
    pub fn touch(&self) -> Option<Touch<'_>> {
        match self {
            Self::Released { caller, via, operation, fields, records, .. } => Some(Touch {
                caller,
                via,
                operation: *operation,
                fields: *fields,
                records: records.as_slice(),
            }),
            Self::Hardened { caller, via, records } => Some(Touch {
                caller,
                via,
                operation: Operation::Harden,
                fields: FieldSet::EMPTY,
                records: records.as_slice(),
            }),
            _ => None,
        }
    }
}

impl Event {
    /// Whether it is rare, and tells more than whose data was touched.
    #[must_use]
    pub const fn is_notable(&self) -> bool {
        !matches!(self, Self::Released { .. } | Self::Hardened { .. } | Self::Indexed { .. })
    }
}

/// Reads an entry's bytes and shows what an index keeps of it: a
/// [`Glancer`](cofferdam_core::Glancer).
pub fn glance(entry: &[u8], show: &mut dyn FnMut(&Glance<'_>)) -> bool {
    let Ok(entry) = Entry::decode(entry) else { return false };
    let Entry { at, event } = &entry;
    show(&Glance { at: *at, touch: event.touch(), notable: event.is_notable() });
    true
}

/// Ascending record numbers, none twice; on the wire the first number and then the gaps, so
/// that neighbours cost a byte each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordList(Vec<Record>);

impl RecordList {
    /// The list of `records` in ascending order without repeats.
    #[must_use]
    pub fn new(mut records: Vec<Record>) -> Self {
        records.sort_unstable();
        records.dedup();
        Self(records)
    }

    /// The records, ascending.
    #[must_use]
    pub fn as_slice(&self) -> &[Record] {
        &self.0
    }
}

impl Serialize for RecordList {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut before = 0;
        s.collect_seq(self.0.iter().map(|record| {
            let gap = record.0 - before;
            before = record.0;
            gap
        }))
    }
}

impl<'de> Deserialize<'de> for RecordList {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let gaps = Vec::<u32>::deserialize(d)?;
        let mut records = Vec::with_capacity(gaps.len());
        let mut at = 0_u32;
        for (i, gap) in gaps.into_iter().enumerate() {
            if gap == 0 && i > 0 {
                return Err(serde::de::Error::custom("a record stands twice"));
            }
            at = at
                .checked_add(gap)
                .ok_or_else(|| serde::de::Error::custom("a record number is past 32 bits"))?;
            records.push(Record(at));
        }
        Ok(Self(records))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn released(records: Vec<u32>) -> Result<Entry, Box<dyn std::error::Error>> {
        Ok(Entry {
            at: "2012-01-15T04:00:00Z".parse()?,
            event: Event::Released {
                caller: "web-ky-1".parse()?,
                via: "accounts".parse()?,
                domain: Domain::Accounts,
                operation: Operation::Release,
                fields: FieldSet::from_bits(0b11).ok_or("bits")?,
                epoch: Epoch(0),
                records: RecordList::new(records.into_iter().map(Record).collect()),
                warrant: None,
            },
        })
    }

    proptest! {
        #[test]
        fn an_entry_reads_back(records: Vec<u32>) {
            let entry = released(records).map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
        }

        #[test]
        fn foreign_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Entry::decode(&bytes);
        }
    }

    #[test]
    fn the_largest_batch_fits_an_entry() -> Result<(), Box<dyn std::error::Error>> {
        let spread = u32::MAX / u32::try_from(crate::MAX_BATCH)?;
        let far = (0..u32::try_from(crate::MAX_BATCH)?).map(|i| i * spread).collect();
        assert!(released(far)?.encode().len() < MAX_ENTRY);
        Ok(())
    }

    #[test]
    fn a_byte_too_many_is_an_error() -> Result<(), Box<dyn std::error::Error>> {
        let mut bytes = released(vec![1, 2])?.encode();
        bytes.push(0);
        assert!(Entry::decode(&bytes).is_err());
        Ok(())
    }
}
