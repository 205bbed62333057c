//! Fields, and the records exposed in each.

use std::collections::BTreeMap;

use cofferdam_core::{Domain, Field, FieldSet};
use response_api::{Level, LevelCounts};
use roaring::RoaringBitmap;

/// The records exposed in each field.
pub type Bitmaps = BTreeMap<Field, RoaringBitmap>;

/// The records exposed at each level, field by field.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Levels {
    /// The records that were released to a fallen host.
    pub read: Bitmaps,
    /// The records that were typed at a fallen host, or brought there.
    pub presented: Bitmaps,
    /// The records that a fallen host could have read, and that are at no worse level.
    pub reachable: Bitmaps,
}

impl Levels {
    /// The bitmaps of one level.
    #[must_use]
    pub const fn at(&self, level: Level) -> &Bitmaps {
        match level {
            Level::Read => &self.read,
            Level::Presented => &self.presented,
            Level::Reachable => &self.reachable,
        }
    }

    /// The bitmaps of one level, to change them.
    pub const fn at_mut(&mut self, level: Level) -> &mut Bitmaps {
        match level {
            Level::Read => &mut self.read,
            Level::Presented => &mut self.presented,
            Level::Reachable => &mut self.reachable,
        }
    }

    /// The people with a field of `accounts` read or presented.
    #[must_use]
    pub fn affected(&self) -> RoaringBitmap {
        self.given_of(Domain::Accounts)
    }

    /// The records with a field of a domain read or presented.
    #[must_use]
    pub fn given_of(&self, domain: Domain) -> RoaringBitmap {
        people(&self.read, domain) | people(&self.presented, domain)
    }

    /// Sets the records within reach: those that have a granted field which was neither read nor
    /// presented.
    pub fn set_reachable(&mut self, granted: FieldSet, filled: &Bitmaps) {
        let rest = |field: Field| {
            let mut records = filled.get(&field).cloned().unwrap_or_default();
            for taken in [&self.read, &self.presented].into_iter().filter_map(|of| of.get(&field)) {
                records -= taken;
            }
            (field, records)
        };
        let rests = granted.iter().map(rest).filter(|(_, records)| !records.is_empty()).collect();
        self.reachable = rests;
    }

    /// Counts people, each once, at the worst level.
    #[must_use]
    pub fn count_people(&self) -> LevelCounts {
        let read = people(&self.read, Domain::Accounts);
        let presented = people(&self.presented, Domain::Accounts) - &read;
        let reachable = people(&self.reachable, Domain::Accounts) - &read - &presented;
        LevelCounts { read: read.len(), presented: presented.len(), reachable: reachable.len() }
    }

    /// Counts records field by field, each once, at the worst level.
    #[must_use]
    pub fn count_fields(&self) -> BTreeMap<Field, LevelCounts> {
        let count = |level: Level, field| self.at(level).get(field).map_or(0, RoaringBitmap::len);
        let read_and_presented = |field| match (self.read.get(field), self.presented.get(field)) {
            (Some(read), Some(presented)) => read.intersection_len(presented),
            _ => 0,
        };
        let counts = Field::ALL.iter().map(|field| {
            let counts = LevelCounts {
                read: count(Level::Read, field),
                presented: count(Level::Presented, field) - read_and_presented(field),
                reachable: count(Level::Reachable, field),
            };
            (*field, counts)
        });
        counts.filter(|(_, counts)| *counts != LevelCounts::default()).collect()
    }
}

/// The records with any field of a domain in `bitmaps`.
#[must_use]
pub fn people(bitmaps: &Bitmaps, domain: Domain) -> RoaringBitmap {
    let of_domain = bitmaps.iter().filter(|(field, _)| field.domain() == domain);
    of_domain.fold(RoaringBitmap::new(), |all, (_, records)| all | records)
}

/// The fields of one record.
#[must_use]
pub fn fields_of(bitmaps: &Bitmaps, record: u32) -> FieldSet {
    let with_record = bitmaps.iter().filter(|(_, records)| records.contains(record));
    with_record.map(|(field, _)| *field).collect()
}

/// Adds the records of `more`.
pub fn add(to: &mut Bitmaps, more: &Bitmaps) {
    for (field, records) in more {
        *to.entry(*field).or_default() |= records;
    }
}

/// The bitmaps of `fields` only.
#[must_use]
pub fn select(bitmaps: &Bitmaps, fields: FieldSet) -> Bitmaps {
    let chosen = bitmaps.iter().filter(|(field, _)| fields.contains(**field));
    chosen.map(|(field, records)| (*field, records.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(records: &[u32]) -> RoaringBitmap {
        records.iter().copied().collect()
    }

    fn counts(read: u64, presented: u64, reachable: u64) -> LevelCounts {
        LevelCounts { read, presented, reachable }
    }

    #[test]
    fn read_and_presented_records_are_no_longer_only_reachable() {
        let filled = Bitmaps::from([
            (Field::Name, set(&[1, 2, 3])),
            (Field::Phone, set(&[2])),
            (Field::Email, set(&[1])),
        ]);
        let mut levels = Levels {
            read: Bitmaps::from([(Field::Name, set(&[1]))]),
            presented: Bitmaps::from([(Field::Name, set(&[3])), (Field::Phone, set(&[2]))]),
            reachable: Bitmaps::new(),
        };
        let granted = FieldSet::EMPTY.with(Field::Name).with(Field::Phone).with(Field::CardLast4);
        levels.set_reachable(granted, &filled);
        assert_eq!(levels.reachable, Bitmaps::from([(Field::Name, set(&[2]))]));
    }

    #[test]
    fn a_person_counts_once_at_the_worst_level() {
        let levels = Levels {
            read: Bitmaps::from([(Field::Email, set(&[1, 2, 3]))]),
            presented: Bitmaps::from([
                (Field::Email, set(&[3, 4])),
                (Field::Password, set(&[3, 4])),
            ]),
            reachable: Bitmaps::from([(Field::Email, set(&[5])), (Field::Name, set(&[1, 4, 6]))]),
        };
        assert_eq!(
            levels.count_fields(),
            BTreeMap::from([
                (Field::Email, counts(3, 1, 1)),
                (Field::Password, counts(0, 2, 0)),
                (Field::Name, counts(0, 0, 3)),
            ])
        );
        assert_eq!(levels.count_people(), counts(3, 1, 2));
        assert_eq!(levels.affected(), set(&[1, 2, 3, 4]));
    }

    #[test]
    fn the_fields_of_a_domain_make_its_people() {
        let all = Bitmaps::from([
            (Field::Email, set(&[1])),
            (Field::Name, set(&[2])),
            (Field::CardNumber, set(&[9])),
        ]);
        assert_eq!(people(&all, Domain::Accounts), set(&[1, 2]));
        assert_eq!(people(&all, Domain::Payments), set(&[9]));
        assert_eq!(fields_of(&all, 1), FieldSet::EMPTY.with(Field::Email));
        assert_eq!(select(&all, FieldSet::EMPTY.with(Field::Name)).len(), 1);
    }
}
