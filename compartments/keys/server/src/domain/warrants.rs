//! Open warrants: what each covers.

use std::collections::HashMap;

use cofferdam_core::{CallerName, Domain, FieldSet, Timestamp};
use keys_api::{Warrant, WarrantId};

/// The warrants that were opened.
#[derive(Default)]
pub struct Warrants(HashMap<WarrantId, Open>);

struct Open {
    warrant: Warrant,
    closed: bool,
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
    /// Takes an opened warrant, or what became of one.
    pub fn insert(&mut self, warrant: Warrant, closed: bool) {
        self.0.insert(warrant.id, Open { warrant, closed });
    }

    /// Whether the number was opened before.
    pub fn contains(&self, id: WarrantId) -> bool {
        self.0.contains_key(&id)
    }

    /// Whether a warrant covers these fields now; how many records it is for. Counting them is
    /// the store's, where other instances draw on it too.
    pub fn check(
        &self,
        id: WarrantId,
        caller: &CallerName,
        domain: Domain,
        fields: FieldSet,
        now: Timestamp,
    ) -> Result<u32, Refusal> {
        let open = self.0.get(&id).ok_or(Refusal::Unknown)?;
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
        Ok(warrant.records)
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
            subject: cofferdam_core::WarrantSubject::PaperPost { letter: 1 },
            caller: caller.clone(),
            domain: Domain::Accounts,
            fields: email,
            records: 2,
            from: at("2012-01-15T00:00:00Z"),
            until: at("2012-01-16T00:00:00Z"),
        };
        warrants.insert(warrant.clone(), false);

        let noon = at("2012-01-15T12:00:00Z");
        let check = |w: &Warrants, fields, now| w.check(id, &caller, Domain::Accounts, fields, now);
        assert_eq!(check(&warrants, email, noon), Ok(2));
        let name = FieldSet::EMPTY.with(Field::Name);
        assert_eq!(check(&warrants, name, noon), Err(Refusal::Fields));
        let late = at("2012-01-16T00:00:00Z");
        assert_eq!(check(&warrants, email, late), Err(Refusal::Time));
        let early = at("2012-01-14T23:59:59Z");
        assert_eq!(check(&warrants, email, early), Err(Refusal::Time));
        let other: CallerName = "web-ky-1".parse().unwrap();
        let foreign = warrants.check(id, &other, Domain::Accounts, email, noon);
        assert_eq!(foreign, Err(Refusal::Caller));
        let elsewhere = warrants.check(id, &caller, Domain::Payments, email, noon);
        assert_eq!(elsewhere, Err(Refusal::Fields));
        warrants.insert(warrant, true);
        assert_eq!(check(&warrants, email, noon), Err(Refusal::Closed));
    }
}
