//! Warrants: the rules for opening one, and the releases that an open one covers.

use std::collections::{BTreeSet, HashMap};

use cofferdam_core::{CallerName, Domain, FieldSet, Timestamp};
use keys_api::{Warrant, WarrantId};
use serde::Deserialize;

/// The longest time that a warrant holds, in seconds: a week.
const MAX_SECONDS: i64 = 7 * 24 * 3_600;

/// The terms of an opened warrant, from its stored order. A warrant of an earlier version of the
/// order reads the same, because the other fields count only when it is opened.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Terms {
    /// The warrant's number.
    pub id: WarrantId,
    /// The only caller that may use it.
    pub caller: CallerName,
    /// The domain of the records.
    pub domain: Domain,
    /// The fields that it covers.
    pub fields: FieldSet,
    /// The number of records that it covers in all.
    pub records: u32,
    /// The instant from which it holds.
    pub from: Timestamp,
    /// The instant until which it holds.
    pub until: Timestamp,
}

/// The warrants that were opened.
#[derive(Default)]
pub struct Warrants(HashMap<WarrantId, Opened>);

struct Opened {
    terms: Terms,
    closed: bool,
}

/// The records that an honest mailing asks for again at most: those of a batch, after each crash.
const ASKED_AGAIN: u32 = 400_000;

/// The decoys that were told again under each warrant, since the start. The compartment in front of the
/// records could otherwise ask for them once more when the mailing is over, and learn all decoys.
#[derive(Debug, Default)]
pub struct ToldAgain(HashMap<WarrantId, u64>);

impl ToldAgain {
    /// Counts decoys that are told again. Whether they are too many, where one record in `one_in` is a
    /// decoy.
    pub fn too_many(&mut self, id: WarrantId, again: u64, one_in: u32) -> bool {
        let told = self.0.entry(id).or_default();
        let all = told.saturating_add(again);
        if again > 0 && all > u64::from((ASKED_AGAIN / one_in).max(10)) {
            return true;
        }
        *told = all;
        false
    }
}

/// A warrant that can't be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// The warrant holds too long, or its time is over.
    #[error("the warrant must hold for at most a week from now on")]
    Span,
    /// The number was opened before.
    #[error("a warrant with this number was opened before")]
    Before,
}

/// A warrant that does not cover a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The number was never opened.
    #[error("no such warrant is open")]
    Unknown,
    /// The warrant was closed.
    #[error("the warrant was closed")]
    Closed,
    /// The warrant is for another caller.
    #[error("the warrant is another caller's")]
    Caller,
    /// The warrant is for other data.
    #[error("the warrant does not cover these fields")]
    Fields,
    /// The warrant's time has not come, or is over.
    #[error("the warrant does not hold at this time")]
    Time,
    /// The warrant covers fewer records.
    #[error("the warrant's number of records is used up")]
    Records,
    /// Too many of the records were asked for again.
    #[error("too many of the warrant's records were asked for again")]
    Again,
}

impl Warrants {
    /// Adds an opened warrant, and whether it was closed since.
    pub fn insert(&mut self, terms: Terms, closed: bool) {
        self.0.insert(terms.id, Opened { terms, closed });
    }

    /// The warrants that are open and whose time is not over.
    #[must_use]
    pub fn open(&self, now: Timestamp) -> BTreeSet<WarrantId> {
        let open = self.0.iter().filter(|(_, of)| !of.closed && now < of.terms.until);
        open.map(|(id, _)| *id).collect()
    }

    /// Checks that a signed warrant may be opened now.
    pub fn check_open(&self, warrant: &Warrant, now: Timestamp) -> Result<(), NotOpened> {
        let span = warrant.until.duration_since(warrant.from).as_secs();
        if !(1..=MAX_SECONDS).contains(&span) || now >= warrant.until {
            return Err(NotOpened::Span);
        }
        if self.0.contains_key(&warrant.id) { Err(NotOpened::Before) } else { Ok(()) }
    }

    /// Checks that a warrant covers these fields now, and returns its number of records. The store
    /// counts the records, because other instances use the same warrant.
    pub fn check(
        &self,
        id: WarrantId,
        caller: &CallerName,
        domain: Domain,
        fields: FieldSet,
        now: Timestamp,
    ) -> Result<u32, Refusal> {
        let Opened { terms, closed } = self.0.get(&id).ok_or(Refusal::Unknown)?;
        if *closed {
            return Err(Refusal::Closed);
        }
        if terms.caller != *caller {
            return Err(Refusal::Caller);
        }
        if terms.domain != domain || !fields.is_subset(terms.fields) {
            return Err(Refusal::Fields);
        }
        if now < terms.from || now >= terms.until {
            return Err(Refusal::Time);
        }
        Ok(terms.records)
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::{Field, WarrantSubject};
    use jiff::SignedDuration;

    use super::*;

    const ID: WarrantId = WarrantId([7; 16]);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn name(text: &str) -> CallerName {
        text.parse().unwrap()
    }

    fn terms() -> Terms {
        Terms {
            id: ID,
            caller: name("response-1"),
            domain: Domain::Accounts,
            fields: FieldSet::EMPTY.with(Field::Name).with(Field::Email),
            records: 2,
            from: at("2012-01-15T00:00:00Z"),
            until: at("2012-01-16T00:00:00Z"),
        }
    }

    #[test]
    fn a_warrant_is_bounded_in_every_direction() {
        let mut warrants = Warrants::default();
        warrants.insert(terms(), false);
        let both = terms().fields;
        let (name_only, phone) =
            (FieldSet::EMPTY.with(Field::Name), FieldSet::EMPTY.with(Field::Phone));
        let (accounts, noon) = (Domain::Accounts, "2012-01-15T12:00:00Z");
        for (caller, domain, fields, now, expected) in [
            ("response-1", accounts, both, noon, Ok(2)),
            ("response-1", accounts, name_only, noon, Ok(2)),
            ("response-1", accounts, both, "2012-01-15T00:00:00Z", Ok(2)),
            ("response-1", accounts, both, "2012-01-15T23:59:59.999Z", Ok(2)),
            ("response-1", accounts, both, "2012-01-16T00:00:00Z", Err(Refusal::Time)),
            ("response-1", accounts, both, "2012-01-14T23:59:59.999Z", Err(Refusal::Time)),
            ("response-1", accounts, both.union(phone), noon, Err(Refusal::Fields)),
            ("response-1", Domain::Payments, both, noon, Err(Refusal::Fields)),
            ("web-ky-1", accounts, both, noon, Err(Refusal::Caller)),
        ] {
            let found = warrants.check(ID, &name(caller), domain, fields, at(now));
            assert_eq!(found, expected, "{caller} {domain} {fields:?} {now}");
        }
        let caller = name("response-1");
        let other = warrants.check(WarrantId([8; 16]), &caller, accounts, both, at(noon));
        assert_eq!(other, Err(Refusal::Unknown));
        warrants.insert(terms(), true);
        let closed = warrants.check(ID, &caller, accounts, both, at(noon));
        assert_eq!(closed, Err(Refusal::Closed));
    }

    #[test]
    fn only_some_decoys_are_told_again() {
        let mut told = ToldAgain::default();
        assert!(!told.too_many(ID, 40, 10_000));
        assert!(told.too_many(ID, 1, 10_000));
        assert!(!told.too_many(ID, 0, 10_000), "records without decoys can be asked for again");
        assert!(!told.too_many(WarrantId([8; 16]), 40, 10_000), "each warrant has its own count");
        assert!(!told.too_many(WarrantId([9; 16]), 10, u32::MAX));
        assert!(told.too_many(WarrantId([9; 16]), 1, u32::MAX));
    }

    #[test]
    fn a_warrant_opens_once_and_for_a_week_at_most() {
        let now = at("2012-01-15T12:00:00Z");
        let mut warrants = Warrants::default();
        let check = |warrants: &Warrants, from_s: i64, until_s: i64| {
            let Terms { id, caller, domain, fields, records, .. } = terms();
            let [from, until] = [from_s, until_s].map(|s| now + SignedDuration::from_secs(s));
            let subject = WarrantSubject::PaperPost { letter: 1 };
            let warrant =
                Warrant { id, incident: 1, subject, caller, domain, fields, records, from, until };
            warrants.check_open(&warrant, now)
        };
        let week = 7 * 86_400;
        for (from_s, until_s, expected) in [
            (0, week, Ok(())),
            (0, 1, Ok(())),
            (86_400, 86_400 + week, Ok(())),
            (1 - week, 1, Ok(())),
            (0, week + 1, Err(NotOpened::Span)),
            (1, 1, Err(NotOpened::Span)),
            (2, 1, Err(NotOpened::Span)),
            (-10, 0, Err(NotOpened::Span)),
        ] {
            assert_eq!(check(&warrants, from_s, until_s), expected, "{from_s} {until_s}");
        }
        warrants.insert(terms(), true);
        assert_eq!(check(&warrants, 0, 1), Err(NotOpened::Before), "closed warrants stay closed");
    }
}
