//! Open warrants and what was drawn on them.

use std::collections::HashMap;

use cofferdam_core::{CallerName, Domain, FieldSet, Record, Timestamp};
use keys_api::{Warrant, WarrantId};
use roaring::RoaringBitmap;

/// The warrants that were opened.
#[derive(Default)]
pub struct Warrants(HashMap<WarrantId, Open>);

struct Open {
    warrant: Warrant,
    closed: bool,
    /// Which records were read under it: reading one again costs nothing, so that an
    /// interrupted mailing can go on.
    drawn: RoaringBitmap,
}

/// Why a warrant does not cover a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody opened it here.
    #[error("no such warrant is open")]
    Unknown,
    /// It was ended.
    #[error("the warrant was closed")]
    Closed,
    /// It is for another caller.
    #[error("the warrant is another caller's")]
    Caller,
    /// It is for other data.
    #[error("the warrant does not cover these fields")]
    Fields,
    /// Its time has not come, or is over.
    #[error("the warrant does not hold at this time")]
    Time,
    /// It covers fewer records.
    #[error("the warrant's number of records is used up")]
    Records,
}

impl Warrants {
    /// Takes an opened warrant; `false` when its number was opened before.
    pub fn insert(&mut self, warrant: Warrant, closed: bool) -> bool {
        let open = Open { closed, drawn: RoaringBitmap::new(), warrant };
        match self.0.entry(open.warrant.id) {
            std::collections::hash_map::Entry::Occupied(_) => false,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(open);
                true
            }
        }
    }

    /// Whether the number was opened before.
    pub fn contains(&self, id: WarrantId) -> bool {
        self.0.contains_key(&id)
    }

    /// Ends a warrant; `false` when there is none.
    pub fn close(&mut self, id: WarrantId) -> bool {
        self.0.get_mut(&id).map(|open| open.closed = true).is_some()
    }

    /// Draws `records`, all or none.
    pub fn draw(
        &mut self,
        id: WarrantId,
        caller: &CallerName,
        domain: Domain,
        fields: FieldSet,
        now: Timestamp,
        records: &[Record],
    ) -> Result<(), Refusal> {
        let open = self.0.get_mut(&id).ok_or(Refusal::Unknown)?;
        let warrant = &open.warrant;
        if open.closed {
            return Err(Refusal::Closed);
        }
        if warrant.caller != *caller {
            return Err(Refusal::Caller);
        }
        if warrant.domain != domain || !fields.is_subset(warrant.fields) {
            return Err(Refusal::Fields);
        }
        if now < warrant.from || now >= warrant.until {
            return Err(Refusal::Time);
        }
        let new = records.iter().filter(|record| !open.drawn.contains(record.0)).count() as u64;
        if open.drawn.len() + new > u64::from(warrant.records) {
            return Err(Refusal::Records);
        }
        open.drawn.extend(records.iter().map(|record| record.0));
        Ok(())
    }

    /// Counts what the log says was drawn, at start.
    pub fn recall(&mut self, id: WarrantId, records: &[Record]) {
        if let Some(open) = self.0.get_mut(&id) {
            open.drawn.extend(records.iter().map(|record| record.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::Field;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_warrant_is_bounded_in_every_direction() {
        let caller: CallerName = "response-1".parse().unwrap();
        let id = WarrantId([7; 16]);
        let email = FieldSet::EMPTY.with(Field::Email);
        let mut warrants = Warrants::default();
        let warrant = Warrant {
            id,
            incident: 1,
            purpose: "letters".into(),
            caller: caller.clone(),
            domain: Domain::Accounts,
            fields: email,
            records: 2,
            from: at("2012-01-15T00:00:00Z"),
            until: at("2012-01-16T00:00:00Z"),
        };
        assert!(warrants.insert(warrant.clone(), false));
        assert!(!warrants.insert(warrant, false), "a number opens once");

        let noon = at("2012-01-15T12:00:00Z");
        let draw = |w: &mut Warrants, fields, now, records: &[u32]| {
            let records: Vec<_> = records.iter().copied().map(Record).collect();
            w.draw(id, &caller, Domain::Accounts, fields, now, &records)
        };
        assert_eq!(draw(&mut warrants, email, noon, &[1]), Ok(()));
        assert_eq!(draw(&mut warrants, email, noon, &[1, 2]), Ok(()), "1 again costs nothing");
        assert_eq!(draw(&mut warrants, email, noon, &[3]), Err(Refusal::Records));
        let name = FieldSet::EMPTY.with(Field::Name);
        assert_eq!(draw(&mut warrants, name, noon, &[1]), Err(Refusal::Fields));
        let late = at("2012-01-16T00:00:00Z");
        assert_eq!(draw(&mut warrants, email, late, &[1]), Err(Refusal::Time));
        let other: CallerName = "web-ky-1".parse().unwrap();
        let foreign = warrants.draw(id, &other, Domain::Accounts, email, noon, &[Record(1)]);
        assert_eq!(foreign, Err(Refusal::Caller));
        assert!(warrants.close(id));
        assert_eq!(draw(&mut warrants, email, noon, &[1]), Err(Refusal::Closed));
    }
}
