//! Fields, and the records exposed in each.

use std::collections::BTreeMap;

use cofferdam_core::{Domain, Field, FieldSet, Sha256};
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
    /// The records that a fallen host could have read, and that were neither read nor presented.
    pub reachable: Bitmaps,
    /// The records that a fallen host asked for and that lacked the field. Some do not exist, and a
    /// field may have been set and read later.
    pub known_unset: Bitmaps,
    /// The people of whom everything that was read was read under presence: `keys` had the proof that
    /// they were signed in. Nobody, until the evidence is judged.
    pub while_signed_in: RoaringBitmap,
}

impl Levels {
    /// The bitmaps of one level.
    #[must_use]
    pub const fn at(&self, level: Level) -> &Bitmaps {
        match level {
            Level::Read => &self.read,
            Level::Presented => &self.presented,
            Level::Reachable => &self.reachable,
            Level::KnownUnset => &self.known_unset,
        }
    }

    /// The bitmaps of one level, to change them.
    pub const fn at_mut(&mut self, level: Level) -> &mut Bitmaps {
        match level {
            Level::Read => &mut self.read,
            Level::Presented => &mut self.presented,
            Level::Reachable => &mut self.reachable,
            Level::KnownUnset => &mut self.known_unset,
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

    /// SHA-256 over whose data was read or presented, field by field, and who was signed in whenever it
    /// was read. Letters tell each person that.
    #[must_use]
    pub fn told(&self) -> Sha256 {
        let mut all = Vec::new();
        let mut add = |name: &str, mut records: RoaringBitmap| {
            if records.is_empty() {
                return;
            }
            // Without runs, equal sets have equal bytes.
            records.remove_run_compression();
            let mut bytes = Vec::with_capacity(records.serialized_size());
            // Writing into memory never fails.
            let _ = records.serialize_into(&mut bytes);
            all.extend(name.as_bytes());
            all.extend(Sha256::of(&bytes).0);
        };
        for field in Field::ALL {
            let of = |level: &Bitmaps| level.get(field).cloned().unwrap_or_default();
            add(field.as_str(), of(&self.read) | of(&self.presented));
        }
        add("while_signed_in", self.while_signed_in.clone());
        Sha256::of(&all)
    }

    /// Sets the records within reach, without those that were read or presented.
    pub fn set_reachable(&mut self, within_reach: Bitmaps) {
        let rest = |(field, mut records): (Field, RoaringBitmap)| {
            for taken in [&self.read, &self.presented].into_iter().filter_map(|of| of.get(&field)) {
                records -= taken;
            }
            (field, records)
        };
        let rests = within_reach.into_iter().map(rest);
        self.reachable = rests.filter(|(_, records)| !records.is_empty()).collect();
    }

    /// Whether a fallen host got anything of a domain, or learnt that something is not there.
    #[must_use]
    pub fn is_touched(&self, domain: Domain) -> bool {
        let of_domain = self.known_unset.keys().any(|field| field.domain() == domain);
        of_domain || !self.given_of(domain).is_empty()
    }

    /// Counts people, each once, at the worst level. `everyone` are the people who exist: only they
    /// count by what is known to be unset.
    #[must_use]
    pub fn count_people(&self, everyone: &RoaringBitmap) -> LevelCounts {
        let all = |level| people(self.at(level), Domain::Accounts);
        count_once(all, everyone)
    }

    /// Counts records field by field, each once, at the worst level. `existing` are the records of
    /// a domain that exist.
    #[must_use]
    pub fn count_fields(
        &self,
        existing: impl Fn(Domain) -> RoaringBitmap,
    ) -> BTreeMap<Field, LevelCounts> {
        let counts = Field::ALL.iter().map(|field| {
            let of = |level| self.at(level).get(field).cloned().unwrap_or_default();
            (*field, count_once(of, &existing(field.domain())))
        });
        counts.filter(|(_, counts)| *counts != LevelCounts::default()).collect()
    }
}

/// Counts the records of each level, each once, at the worst level.
fn count_once(of: impl Fn(Level) -> RoaringBitmap, existing: &RoaringBitmap) -> LevelCounts {
    let mut seen = RoaringBitmap::new();
    let mut count = |records: RoaringBitmap| {
        let new = (&records - &seen).len();
        seen |= records;
        new
    };
    LevelCounts {
        read: count(of(Level::Read)),
        presented: count(of(Level::Presented)),
        known_unset: count(of(Level::KnownUnset) & existing),
        reachable: count(of(Level::Reachable)),
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

    fn counts(read: u64, presented: u64, known_unset: u64, reachable: u64) -> LevelCounts {
        LevelCounts { read, presented, known_unset, reachable }
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
            ..Levels::default()
        };
        let granted = FieldSet::EMPTY.with(Field::Name).with(Field::Phone).with(Field::CardLast4);
        levels.set_reachable(select(&filled, granted));
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
            // Record 99 does not exist.
            known_unset: Bitmaps::from([(Field::Phone, set(&[1, 6, 7, 99]))]),
            ..Levels::default()
        };
        let everyone = set(&[1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(
            levels.count_fields(|_| everyone.clone()),
            BTreeMap::from([
                (Field::Email, counts(3, 1, 0, 1)),
                (Field::Password, counts(0, 2, 0, 0)),
                (Field::Name, counts(0, 0, 0, 3)),
                (Field::Phone, counts(0, 0, 3, 0)),
            ])
        );
        assert_eq!(levels.count_people(&everyone), counts(3, 1, 2, 1));
        assert!(levels.is_touched(Domain::Accounts) && !levels.is_touched(Domain::Payments));
        let unset = Bitmaps::from([(Field::CardNumber, set(&[9]))]);
        let unset = Levels { known_unset: unset, ..Levels::default() };
        assert!(unset.is_touched(Domain::Payments) && unset.affected().is_empty());
        assert_eq!(levels.affected(), set(&[1, 2, 3, 4]));
    }

    #[test]
    fn what_letters_tell_changes_with_fields_people_and_presence() {
        let levels = |field, records: &[u32], signed_in: &[u32]| Levels {
            read: Bitmaps::from([(field, set(records))]),
            while_signed_in: set(signed_in),
            ..Levels::default()
        };
        let told = levels(Field::Name, &[1, 2], &[1]).told();
        for other in [
            levels(Field::Phone, &[1, 2], &[1]),
            levels(Field::Name, &[1, 3], &[1]),
            levels(Field::Name, &[1, 2], &[2]),
            levels(Field::Name, &[1, 2], &[]),
        ] {
            assert_ne!(other.told(), told, "{other:?}");
        }
        let within_reach = Bitmaps::from([(Field::Phone, set(&[5]))]);
        let same = Levels { reachable: within_reach, ..levels(Field::Name, &[1, 2], &[1]) };
        assert_eq!(same.told(), told);
        // Letters that an earlier version planned are compared with this hash.
        let mut before = b"name".to_vec();
        let mut records = Vec::new();
        set(&[1, 2]).serialize_into(&mut records).unwrap();
        before.extend(Sha256::of(&records).0);
        assert_eq!(levels(Field::Name, &[1, 2], &[]).told(), Sha256::of(&before));
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
