//! The assignment of record numbers: newcomers in their order, and decoys at their own numbers.

use std::collections::{BTreeMap, HashSet};

use accounts_api::Profile;
use cofferdam_core::{Personal, Record};

use super::address::EmailIndex;
use super::numbers::Upcoming;
use super::password::Hashed;

/// A person who wants to be a customer.
#[derive(Debug)]
pub struct Newcomer {
    /// The data that the person gives.
    pub profile: Profile,
    /// The password, hashed but without a verifier yet.
    pub password: Hashed,
}

/// A decoy without a number, and the addresses to choose from, each with its index.
#[derive(Debug)]
pub struct Candidate {
    /// The decoy as a newcomer.
    pub person: Newcomer,
    /// The addresses, the preferred one first.
    pub addresses: Vec<(Personal, EmailIndex)>,
}

/// The outcome for a newcomer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The newcomer is this customer, once the rows are written.
    New(Record),
    /// The e-mail address belongs to this customer.
    Taken(Record),
}

/// A customer or decoy with a number.
#[derive(Debug)]
pub struct Settler {
    /// The record number.
    pub record: Record,
    /// The look-up index of the address.
    pub index: EmailIndex,
    /// The data of the customer or decoy.
    pub person: Newcomer,
}

impl Candidate {
    /// Gives the decoy the first of its addresses that is free; `None` if all are taken.
    fn at_a_free_address(
        mut self,
        is_taken: impl Fn(&EmailIndex) -> bool,
    ) -> Option<(EmailIndex, Newcomer)> {
        let free = self.addresses.into_iter().find(|(_, index)| !is_taken(index));
        let (address, index) = free?;
        self.person.profile.email = address;
        Some((index, self.person))
    }
}

/// Gives numbers to the newcomers with a free address. `taken` has the present customers of
/// addresses; an address that a newcomer wants goes to no decoy. `None` if the numbers run out.
///
/// The outcomes are in the order of the newcomers. The settlers ascend, decoys among them.
pub fn settle(
    people: Vec<(Newcomer, EmailIndex)>,
    decoys: Vec<Candidate>,
    mut taken: BTreeMap<EmailIndex, Record>,
    upcoming: &mut Upcoming,
) -> Option<(Vec<Outcome>, Vec<Settler>)> {
    let wanted: HashSet<EmailIndex> = people.iter().map(|(_, index)| *index).collect();
    let mut decoys = decoys.into_iter();
    let mut outcomes = Vec::with_capacity(people.len());
    let mut settlers = Vec::with_capacity(people.len());
    for (person, index) in people {
        if let Some(record) = taken.get(&index) {
            outcomes.push(Outcome::Taken(*record));
            continue;
        }
        let mut place = upcoming.take()?;
        while place.decoy {
            let is_taken = |index: &EmailIndex| taken.contains_key(index) || wanted.contains(index);
            let decoy = decoys.next().and_then(|decoy| decoy.at_a_free_address(is_taken));
            // If all addresses of a decoy are taken, its number stays unused.
            if let Some((index, person)) = decoy {
                taken.insert(index, place.record);
                settlers.push(Settler { record: place.record, index, person });
            }
            place = upcoming.take()?;
        }
        taken.insert(index, place.record);
        outcomes.push(Outcome::New(place.record));
        settlers.push(Settler { record: place.record, index, person });
    }
    Some((outcomes, settlers))
}

#[cfg(test)]
mod tests {
    use cofferdam_core::KeyBytes;

    use super::*;
    use crate::domain::parts;
    use crate::domain::password::{Cost, Scheme};

    fn index(n: u8) -> EmailIndex {
        [n; 32]
    }

    fn newcomer() -> Newcomer {
        let hash = KeyBytes::new([0; 32]);
        let password = Hashed { scheme: Scheme::Argon2id(Cost::NOW), salt: Vec::new(), hash };
        Newcomer { profile: parts::people().remove(0), password }
    }

    fn decoy(addresses: &[u8]) -> Candidate {
        let address = |n: &u8| (Personal::new(format!("{n}@mailbox.example")), index(*n));
        Candidate { person: newcomer(), addresses: addresses.iter().map(address).collect() }
    }

    /// The number of a settler, the first byte of the index, and the address of the profile.
    type Shown = (u32, u8, String);

    /// Settles newcomers with these addresses; the numbers 1 and 3 of 0 to 5 are decoys.
    fn settled(
        people: &[u8],
        decoys: &[&[u8]],
        taken: &[(u8, u32)],
    ) -> Option<(Vec<Outcome>, Vec<Shown>)> {
        let mut upcoming = Upcoming::default();
        upcoming.extend(Record(0), 6, &[Record(1), Record(3)]);
        let people = people.iter().map(|n| (newcomer(), index(*n))).collect();
        let decoys = decoys.iter().map(|addresses| decoy(addresses)).collect();
        let taken = taken.iter().map(|(n, record)| (index(*n), Record(*record))).collect();
        let (outcomes, settlers) = settle(people, decoys, taken, &mut upcoming)?;
        let shown = settlers
            .into_iter()
            .map(|of| (of.record.0, of.index[0], of.person.profile.email.expose().to_owned()));
        Some((outcomes, shown.collect()))
    }

    fn at(n: u8) -> String {
        format!("{n}@mailbox.example")
    }

    #[test]
    fn newcomers_get_numbers_in_their_order_and_decoys_fill_theirs() {
        let (outcomes, settlers) = settled(&[10, 11, 12], &[&[20], &[21]], &[]).unwrap();
        assert_eq!(outcomes, [0, 2, 4].map(|n| Outcome::New(Record(n))));
        let own = String::new;
        let expected =
            [(0, 10, own()), (1, 20, at(20)), (2, 11, own()), (3, 21, at(21)), (4, 12, own())];
        assert_eq!(settlers, expected);
    }

    #[test]
    fn an_address_that_is_taken_makes_nobody() {
        let (outcomes, settlers) = settled(&[10, 11, 10, 12], &[&[20]], &[(11, 77)]).unwrap();
        let expected = [
            Outcome::New(Record(0)),
            Outcome::Taken(Record(77)),
            Outcome::Taken(Record(0)),
            Outcome::New(Record(2)),
        ];
        assert_eq!(outcomes, expected);
        let records: Vec<_> = settlers.iter().map(|(record, ..)| *record).collect();
        assert_eq!(records, [0, 1, 2]);
    }

    #[test]
    fn a_decoy_gives_way_to_customers_newcomers_and_other_decoys() {
        let decoys: [&[u8]; 2] = [&[30, 12, 20], &[20, 21]];
        let (_, settlers) = settled(&[10, 11, 12], &decoys, &[(30, 5)]).unwrap();
        assert_eq!((&settlers[1], &settlers[3]), (&(1, 20, at(20)), &(3, 21, at(21))));
        let (_, settlers) = settled(&[10, 11, 12], &[&[10], &[21]], &[]).unwrap();
        let records: Vec<_> = settlers.iter().map(|(record, ..)| *record).collect();
        assert_eq!(
            records,
            [0, 2, 3, 4],
            "a decoy without a free address leaves its number unused"
        );
    }

    #[test]
    fn numbers_that_run_out_settle_nobody() {
        assert!(settled(&[10, 11, 12, 13], &[], &[]).is_some());
        assert!(settled(&[10, 11, 12, 13, 14], &[], &[]).is_none());
    }
}
