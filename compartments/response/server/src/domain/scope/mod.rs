//! Exposure from the release log: which records and fields fallen hosts read, or were given.

mod fallen;
mod found;
mod window;

use std::collections::BTreeMap;

use cofferdam_core::{Domain, Field, FieldSet};
use response_api::LevelCounts;
use roaring::RoaringBitmap;

pub use fallen::{Fallen, SIGN_IN, readable};
pub use found::{Found, LogKind};
pub use window::{Share, Window};

/// Fields and the records exposed in each.
pub type Bitmaps = BTreeMap<Field, RoaringBitmap>;

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

/// Adds what `more` holds.
pub fn add(to: &mut Bitmaps, more: &Bitmaps) {
    for (field, records) in more {
        *to.entry(*field).or_default() |= records;
    }
}

/// Each person once, at the worst level.
#[must_use]
pub fn count_people(read: &Bitmaps, presented: &Bitmaps, reachable: &Bitmaps) -> LevelCounts {
    let read = people(read, Domain::Accounts);
    let presented = people(presented, Domain::Accounts) - &read;
    let reachable = people(reachable, Domain::Accounts) - &read - &presented;
    LevelCounts { read: read.len(), presented: presented.len(), reachable: reachable.len() }
}

/// Field by field, each person once, at the worst level.
#[must_use]
pub fn count_fields(
    read: &Bitmaps,
    presented: &Bitmaps,
    reachable: &Bitmaps,
) -> BTreeMap<Field, LevelCounts> {
    let count = |of: &Bitmaps, field| of.get(field).map_or(0, RoaringBitmap::len);
    let both = |field| match (read.get(field), presented.get(field)) {
        (Some(read), Some(presented)) => read.intersection_len(presented),
        _ => 0,
    };
    Field::ALL
        .iter()
        .map(|field| {
            let counts = LevelCounts {
                read: count(read, field),
                presented: count(presented, field) - both(field),
                reachable: count(reachable, field),
            };
            (*field, counts)
        })
        .filter(|(_, counts)| *counts != LevelCounts::default())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(records: &[u32]) -> RoaringBitmap {
        records.iter().copied().collect()
    }

    #[test]
    fn what_was_read_or_presented_is_no_longer_only_reachable() {
        let filled = Bitmaps::from([(Field::Name, set(&[1, 2, 3])), (Field::Phone, set(&[2]))]);
        let read = Bitmaps::from([(Field::Name, set(&[1]))]);
        let presented = Bitmaps::from([(Field::Name, set(&[3])), (Field::Phone, set(&[2]))]);
        let granted = FieldSet::EMPTY.with(Field::Name).with(Field::Phone).with(Field::CardLast4);
        let left = reachable(granted, &filled, &read, &presented);
        assert_eq!(left, Bitmaps::from([(Field::Name, set(&[2]))]));
    }

    #[test]
    fn who_was_read_and_presented_counts_once() {
        let read = Bitmaps::from([(Field::Email, set(&[1, 2, 3]))]);
        let presented =
            Bitmaps::from([(Field::Email, set(&[3, 4])), (Field::Password, set(&[3, 4]))]);
        let reachable = Bitmaps::from([(Field::Email, set(&[5]))]);
        let counts = |read, presented, reachable| LevelCounts { read, presented, reachable };
        assert_eq!(
            count_fields(&read, &presented, &reachable),
            BTreeMap::from([(Field::Email, counts(3, 1, 1)), (Field::Password, counts(0, 2, 0))])
        );
        assert_eq!(count_people(&read, &presented, &reachable), counts(3, 1, 1));
    }
}
