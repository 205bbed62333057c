//! One person: "was I affected, by what, and when?"

use std::collections::BTreeMap;

use cofferdam_core::{CustomerNumber, Field, FieldSet, Operation, Record, Timestamp};
use response_api::{Level, PersonEvent, PersonExposure, Unresolved};

use crate::bitmaps::{Bitmaps, Levels, fields_of};
use crate::exposed::Exposed;
use crate::log::{IndexedLog, index_of, scan_part};
use crate::pages::{Slot, for_each_slot};
use crate::window::Share;
use crate::{AccessEntry, FallenHosts, Population, Window};

/// The exposure of one person, from the slots of the logs and from the records at each level. A
/// field that only a doubt exposed has a level and no event. `number` is the customer's, if known.
#[must_use]
pub fn person_exposure(
    record: Record,
    number: Option<CustomerNumber>,
    population: &Population,
    levels: &Levels,
    mut slots: Vec<Slot>,
) -> PersonExposure {
    let order = |of: &Slot| (of.first_ms, of.caller.clone(), of.level, of.signed_in);
    slots.sort_by_cached_key(order);
    PersonExposure {
        record,
        number,
        exists: population.everyone.contains(record.0),
        while_signed_in: levels.while_signed_in.contains(record.0),
        fields: worst_levels(levels, record),
        events: join_events(slots),
        lines: Vec::new(),
        line_count: None,
    }
}

/// Shows each access of an access log that names a record, in the order of the log. Only the hours in
/// which the index has the record are read.
pub fn for_each_access_of<L: IndexedLog>(
    log: &L,
    hosts: &FallenHosts,
    window: Window,
    record: Record,
    show: &mut dyn FnMut(AccessEntry),
) -> Result<(), L::Error> {
    for segment in log.segments() {
        let index = index_of(log, segment, hosts, &|parts| window.detail(parts).by_part())?;
        let has = |place: usize| {
            let mut of_place = index.bitmaps.values().flatten();
            of_place.any(|(at, records)| usize::from(*at) == place && records.contains(record.0))
        };
        for (place, part) in index.parts.iter().enumerate() {
            let share = window.share(part);
            let may_hold = match share {
                Share::Some => true,
                Share::Whole | Share::Doubtful => has(place),
                Share::None => false,
            };
            if !may_hold {
                continue;
            }
            scan_part(log, segment, part, hosts, &mut |number, bytes| {
                let Ok(entry) = AccessEntry::decode(bytes) else { return };
                let is_theirs = hosts.is_exposed(&entry.caller, &entry.via, entry.operation);
                let held = share == Share::Doubtful || window.holds(number, entry.at());
                if held && is_theirs && entry.records.binary_search(&record).is_ok() {
                    show(entry);
                }
            })?;
        }
    }
    Ok(())
}

/// The slots of one record, read from the indexes of a log.
pub fn slots_of_record<L: IndexedLog>(
    log: &L,
    hosts: &FallenHosts,
    window: Window,
    record: Record,
) -> Result<Vec<Slot>, L::Error> {
    let mut slots = Vec::new();
    for segment in log.segments() {
        for_each_slot(log, segment, hosts, window, &mut |slot, records| {
            if records.contains(record.0) {
                slots.push(slot.clone());
            }
        })?;
    }
    Ok(slots)
}

/// The accesses that count as everybody's, as slots of one person of whom `read` has their fields.
#[must_use]
pub fn unresolved_slots(
    unresolved: &[Unresolved],
    hosts: &FallenHosts,
    read: &Bitmaps,
    record: Record,
) -> Vec<Slot> {
    let lost = fields_of(read, record.0);
    let slot = |access: &Unresolved| {
        let fields = access.fields.intersection(lost);
        let (caller, via) = (&access.caller, &access.via);
        let Exposed { level, signed_in, fields } =
            hosts.exposed(caller, via, Operation::Release, fields).next()?;
        let at = access.at.as_millisecond();
        let (caller, via) = (caller.clone(), via.clone());
        let slot = Slot { first_ms: at, last_ms: at, caller, via, level, signed_in, fields };
        (!fields.is_empty()).then_some(slot)
    };
    unresolved.iter().filter_map(slot).collect()
}

/// The worst level of each field of a record.
fn worst_levels(levels: &Levels, record: Record) -> BTreeMap<Field, Level> {
    let mut worst = BTreeMap::new();
    // Levels go from bad to less bad, and the first level of a field stays.
    for level in Level::ALL {
        let fields: FieldSet = fields_of(levels.at(level), record.0);
        for field in fields.iter() {
            worst.entry(field).or_insert(level);
        }
    }
    worst
}

/// One event for each hour, caller and level, with all its fields.
fn join_events(slots: Vec<Slot>) -> Vec<PersonEvent> {
    let instant = |ms| Timestamp::from_millisecond(ms).unwrap_or_default();
    let mut events: Vec<PersonEvent> = Vec::new();
    for slot in slots {
        let (from, to) = (instant(slot.first_ms), instant(slot.last_ms));
        let Slot { caller, via, level, signed_in, fields, .. } = slot;
        match events.last_mut() {
            Some(last)
                if last.from == from
                    && last.caller == caller
                    && last.via == via
                    && (last.level, last.signed_in) == (level, signed_in) =>
            {
                last.fields = last.fields.union(fields);
            }
            _ => events.push(PersonEvent { from, to, caller, via, level, signed_in, fields }),
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use response_api::People;
    use roaring::RoaringBitmap;

    use super::*;
    use crate::Bitmaps;

    fn slot(hour: i64, via: &str, level: Level, field: Field) -> Slot {
        Slot {
            first_ms: hour,
            last_ms: hour + 1,
            caller: "web-1".parse().unwrap(),
            via: via.parse().unwrap(),
            level,
            signed_in: false,
            fields: FieldSet::EMPTY.with(field),
        }
    }

    #[test]
    fn an_hour_of_one_caller_is_one_event_and_the_oldest_comes_first() {
        let population = Population { everyone: RoaringBitmap::from([7]), ..Population::default() };
        let slots = vec![
            slot(9, "accounts", Level::Read, Field::Name),
            slot(5, "accounts", Level::Read, Field::Name),
            slot(5, "accounts", Level::Read, Field::Phone),
            slot(5, "accounts", Level::Presented, Field::Password),
        ];
        let person = person_exposure(Record(7), None, &population, &Levels::default(), slots);
        let fields: Vec<_> = person.events.iter().map(|event| event.fields.len()).collect();
        let levels: Vec<_> = person.events.iter().map(|event| event.level).collect();
        assert_eq!(fields, [2, 1, 1]);
        assert_eq!(levels, [Level::Read, Level::Presented, Level::Read]);
        assert!(person.exists);

        let signed_in = |slot| Slot { signed_in: true, ..slot };
        let slots = vec![
            signed_in(slot(5, "accounts", Level::Read, Field::Name)),
            slot(5, "accounts", Level::Read, Field::Phone),
            signed_in(slot(5, "accounts", Level::Read, Field::Email)),
        ];
        let levels = Levels { while_signed_in: [7].into(), ..Levels::default() };
        let person = person_exposure(Record(7), None, &population, &levels, slots);
        let events: Vec<_> =
            person.events.iter().map(|of| (of.signed_in, of.fields.len())).collect();
        assert_eq!((events, person.while_signed_in), (vec![(false, 1), (true, 2)], true));

        let apart = vec![
            slot(5, "accounts", Level::Read, Field::Name),
            slot(5, "payments", Level::Read, Field::Name),
        ];
        let nobody = person_exposure(Record(8), None, &population, &Levels::default(), apart);
        assert_eq!((nobody.events.len(), nobody.exists), (2, false));
    }

    #[test]
    fn a_field_counts_at_its_worst_level() {
        let of = |records: [u32; 2]| RoaringBitmap::from(records);
        let levels = Levels {
            read: Bitmaps::from([(Field::Name, of([1, 2]))]),
            presented: Bitmaps::from([(Field::Name, of([1, 3])), (Field::Email, of([1, 3]))]),
            reachable: Bitmaps::from([(Field::Email, of([1, 2])), (Field::Phone, of([1, 2]))]),
            known_unset: Bitmaps::from([(Field::CardLast4, of([1, 3]))]),
            ..Levels::default()
        };
        let worst = |record| worst_levels(&levels, Record(record));
        assert_eq!(
            worst(1),
            BTreeMap::from([
                (Field::Name, Level::Read),
                (Field::Email, Level::Presented),
                (Field::Phone, Level::Reachable),
                (Field::CardLast4, Level::KnownUnset),
            ])
        );
        assert_eq!(worst(9), BTreeMap::new());
    }

    #[test]
    fn an_unresolved_access_happened_to_everybody_with_its_fields() {
        let hosts = FallenHosts::new(People::Table, &["web-1".parse().unwrap()]);
        let read = Bitmaps::from([(Field::Email, RoaringBitmap::from([1]))]);
        let access = |caller: &str| Unresolved {
            log: "app.csv".into(),
            line: 3,
            at: Timestamp::from_millisecond(4).unwrap(),
            caller: caller.parse().unwrap(),
            via: "reporting".parse().unwrap(),
            fields: FieldSet::EMPTY.with(Field::Email).with(Field::Name),
            why: "no key".into(),
        };
        let accesses = [access("web-1"), access("web-2")];
        let slots = |record| unresolved_slots(&accesses, &hosts, &read, Record(record));
        let [slot] = slots(1).try_into().unwrap();
        assert_eq!(slot.fields, FieldSet::EMPTY.with(Field::Email));
        assert_eq!((slot.first_ms, slot.level), (4, Level::Read));
        assert_eq!(slots(2), []);
    }
}
