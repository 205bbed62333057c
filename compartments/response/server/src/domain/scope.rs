//! Exposure from the release log: which records and fields a fallen host read, or was given.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_core::{CallerName, Domain, Field, FieldSet, Operation, Record, Timestamp};
use keys_api::{Entry, Event, Grant};
use roaring::RoaringBitmap;

/// Fields and the records exposed in each.
pub type Bitmaps = BTreeMap<Field, RoaringBitmap>;

/// What is typed at a sign-in, whatever else.
const SIGN_IN: [Field; 2] = [Field::Email, Field::Password];

/// Gathers the exposure of an incident, entry by entry, in memory that grows with the records
/// exposed and not with the log.
#[derive(Debug)]
pub struct Scope<'a> {
    fallen: &'a [CallerName],
    from: Timestamp,
    /// `None`: to the end of the log, whatever the clocks of other machines say.
    until: Option<Timestamp>,
    /// The last entry's instant.
    pub last: Timestamp,
    /// Callers and compartments that the log names.
    pub seen: BTreeSet<CallerName>,
    /// Domains whose keys went through a fallen host.
    pub fronted: BTreeSet<Domain>,
    /// Released to a fallen host.
    pub read: Bitmaps,
    /// Typed at, or brought to, a fallen host.
    pub presented: Bitmaps,
    /// What could not be known for sure.
    pub doubts: Vec<String>,
}

impl<'a> Scope<'a> {
    /// A scope of the hosts `fallen` from `from` until `until`, both included.
    #[must_use]
    pub fn new(fallen: &'a [CallerName], from: Timestamp, until: Option<Timestamp>) -> Self {
        Self {
            fallen,
            from,
            until,
            last: from,
            seen: BTreeSet::new(),
            fronted: BTreeSet::new(),
            read: Bitmaps::new(),
            presented: Bitmaps::new(),
            doubts: Vec::new(),
        }
    }

    /// Takes the next entry of the log.
    pub fn take(&mut self, entry: &Entry) {
        self.last = self.last.max(entry.at);
        self.see(&entry.event);
        if entry.at < self.from || self.until.is_some_and(|until| entry.at > until) {
            return;
        }
        match &entry.event {
            Event::Released { caller, via, operation, fields, records, .. } => {
                // The host of a compartment sees every key that passes through it; a host that
                // brings data to be sealed shows what it brings, and no more.
                if self.fell(via) || (self.fell(caller) && *operation == Operation::Release) {
                    add(&mut self.read, fields.iter(), records.as_slice());
                } else if self.fell(caller) {
                    add(&mut self.presented, fields.iter(), records.as_slice());
                }
            }
            Event::Hardened { caller, via, records } if self.fell(caller) || self.fell(via) => {
                add(&mut self.presented, SIGN_IN.into_iter(), records.as_slice());
            }
            Event::Recovered { bytes_cut } => self.doubts.push(format!(
                "at {} the release log was cut by {bytes_cut} bytes after a crash of keys; no \
                 answer had left for what they held",
                entry.at
            )),
            _ => {}
        }
    }

    fn see(&mut self, event: &Event) {
        if let Event::Released { caller, via, .. }
        | Event::Hardened { caller, via, .. }
        | Event::Indexed { caller, via, .. } = event
        {
            for name in [caller, via] {
                if !self.seen.contains(name) {
                    self.seen.insert(name.clone());
                }
            }
        }
        if let Event::Released { via, domain, .. } = event
            && self.fell(via)
        {
            self.fronted.insert(*domain);
        }
    }

    fn fell(&self, caller: &CallerName) -> bool {
        self.fallen.contains(caller)
    }
}

fn add(to: &mut Bitmaps, fields: impl Iterator<Item = Field>, records: &[Record]) {
    for field in fields {
        let known = records.iter().filter(|record| **record != Record::NOBODY);
        to.entry(field).or_default().extend(known.map(|record| record.0));
    }
}

/// The fields of `domain` that a grant lets its holder read.
#[must_use]
pub fn readable(grants: &[Grant], domain: Domain) -> FieldSet {
    grants
        .iter()
        .filter(|grant| grant.domain == domain && grant.operation == Operation::Release)
        .fold(FieldSet::EMPTY, |all, grant| all.union(grant.fields))
}

/// Of the records that have a field, those that could have been read and were not, nor presented.
#[must_use]
pub fn reachable(
    granted: FieldSet,
    filled: &Bitmaps,
    read: &Bitmaps,
    presented: &Bitmaps,
) -> Bitmaps {
    let left = |field: Field| {
        let mut records = filled.get(&field).cloned().unwrap_or_default();
        for taken in [read, presented].into_iter().filter_map(|of| of.get(&field)) {
            records -= taken;
        }
        (field, records)
    };
    granted.iter().map(left).filter(|(_, records)| !records.is_empty()).collect()
}

/// Everybody in any of a domain's fields.
#[must_use]
pub fn people(bitmaps: &Bitmaps, domain: Domain) -> RoaringBitmap {
    bitmaps
        .iter()
        .filter(|(field, _)| field.domain() == domain)
        .fold(RoaringBitmap::new(), |all, (_, records)| all | records)
}

/// The fields in which one record stands.
#[must_use]
pub fn fields_of(bitmaps: &Bitmaps, record: u32) -> FieldSet {
    bitmaps
        .iter()
        .filter(|(_, records)| records.contains(record))
        .map(|(field, _)| *field)
        .collect()
}

#[cfg(test)]
mod tests {
    use cofferdam_core::Epoch;
    use keys_api::RecordList;
    use proptest::prelude::*;

    use super::*;

    const CALLERS: [&str; 4] = ["web-ky-1", "web-ky-2", "accounts", "checkout-1"];

    fn name(n: usize) -> CallerName {
        CALLERS[n % 4].parse().unwrap()
    }

    fn entry((second, caller, via, kind, bits, records): Raw) -> Entry {
        let records = RecordList::new(records.into_iter().map(Record).collect());
        let fields = Field::ALL[..6].iter().copied().enumerate();
        let fields: FieldSet =
            fields.filter(|(n, _)| bits & (1 << n) != 0).map(|(_, f)| f).collect();
        let (caller, via) = (name(caller), name(via));
        let operation = if kind == 0 { Operation::Release } else { Operation::Seal };
        let event = match kind {
            0 | 1 => Event::Released {
                caller,
                via,
                domain: Domain::Accounts,
                operation,
                fields,
                epoch: Epoch(0),
                records,
                warrant: None,
            },
            2 => Event::Hardened { caller, via, records },
            _ => Event::Indexed { caller, via, count: 1 },
        };
        Entry { at: Timestamp::from_second(second).unwrap(), event }
    }

    type Raw = (i64, usize, usize, u8, u8, Vec<u32>);

    fn raw() -> impl Strategy<Value = Raw> {
        (
            0_i64..100,
            0_usize..4,
            0_usize..4,
            0_u8..4,
            0_u8..64,
            prop::collection::vec(0_u32..50, 1..9),
        )
    }

    /// The same in plain sets, straight from the definition.
    fn naive(
        entries: &[Entry],
        fallen: &CallerName,
        from: i64,
        until: i64,
    ) -> [BTreeSet<(Field, u32)>; 2] {
        let [mut read, mut presented] = [BTreeSet::new(), BTreeSet::new()];
        for entry in entries {
            if !(from..=until).contains(&entry.at.as_second()) {
                continue;
            }
            match &entry.event {
                Event::Released { caller, via, operation, fields, records, .. } => {
                    for field in fields.iter() {
                        for record in records.as_slice() {
                            if via == fallen
                                || (caller == fallen && *operation == Operation::Release)
                            {
                                read.insert((field, record.0));
                            } else if caller == fallen {
                                presented.insert((field, record.0));
                            }
                        }
                    }
                }
                Event::Hardened { caller, via, records } if caller == fallen || via == fallen => {
                    for record in records.as_slice() {
                        presented.insert((Field::Email, record.0));
                        presented.insert((Field::Password, record.0));
                    }
                }
                _ => {}
            }
        }
        [read, presented]
    }

    fn flat(bitmaps: &Bitmaps) -> BTreeSet<(Field, u32)> {
        bitmaps.iter().flat_map(|(f, records)| records.iter().map(|r| (*f, r))).collect()
    }

    proptest! {
        #[test]
        fn the_stream_agrees_with_the_definition(
            raws in prop::collection::vec(raw(), 0..60),
            fallen in 0_usize..4,
            from in 0_i64..100,
            length in 0_i64..100,
        ) {
            let entries: Vec<_> = raws.into_iter().map(entry).collect();
            let fallen = [name(fallen)];
            let at = |s| Timestamp::from_second(s).unwrap();
            let mut scope = Scope::new(&fallen, at(from), Some(at(from + length)));
            for entry in &entries {
                scope.take(entry);
            }
            let [read, presented] = naive(&entries, &fallen[0], from, from + length);
            prop_assert_eq!(flat(&scope.read), read);
            prop_assert_eq!(flat(&scope.presented), presented);
        }
    }

    #[test]
    fn what_was_read_or_presented_is_no_longer_only_reachable() {
        let set = |records: &[u32]| records.iter().copied().collect::<RoaringBitmap>();
        let filled = Bitmaps::from([(Field::Name, set(&[1, 2, 3])), (Field::Phone, set(&[2]))]);
        let read = Bitmaps::from([(Field::Name, set(&[1]))]);
        let presented = Bitmaps::from([(Field::Name, set(&[3])), (Field::Phone, set(&[2]))]);
        let granted = FieldSet::EMPTY.with(Field::Name).with(Field::Phone).with(Field::CardLast4);
        let left = reachable(granted, &filled, &read, &presented);
        assert_eq!(left, Bitmaps::from([(Field::Name, set(&[2]))]));
    }
}
