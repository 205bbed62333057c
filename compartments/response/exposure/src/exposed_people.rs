//! The people exposed, and what became of them since.

use cofferdam_core::{Domain, Field};
use response_api::ExposedPeople;
use roaring::RoaringBitmap;

use crate::{Levels, Population};

/// Whether a letter names the loss of a field. Cards have record numbers of their own, so a card's
/// loss is no loss of the customer with the same number. A session is over before a letter arrives.
#[must_use]
pub fn is_told(field: Field) -> bool {
    field.domain() == Domain::Accounts && field != Field::Session
}

/// Counts the people exposed by what became of them. `population` holds those who are there now.
#[must_use]
pub fn exposed_people(levels: &Levels, population: &Population) -> ExposedPeople {
    let affected = levels.affected();
    let here = &affected & &population.everyone;
    let lost = levels.read.iter().chain(&levels.presented);
    let told: RoaringBitmap = lost
        .filter(|(field, _)| is_told(**field))
        .fold(RoaringBitmap::new(), |all, (_, of)| all | of);
    let told = told & &here;
    let none = RoaringBitmap::new();
    let addressed = population.filled.get(&Field::Email).unwrap_or(&none);
    ExposedPeople {
        exposed: affected.len(),
        told: told.len(),
        session_only: (&here - &told).len(),
        gone: (&affected - &here).len(),
        without_address: (&here - addressed).len(),
        planned: None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::prelude::*;

    use super::*;
    use crate::Bitmaps;

    proptest! {
        /// Whoever is exposed is counted once, whoever is there and whatever was lost.
        #[test]
        fn everybody_exposed_has_one_place(
            name in btree_set(0_u32..40, 0..20),
            session in btree_set(0_u32..40, 0..20),
            card in btree_set(0_u32..40, 0..20),
            everyone in btree_set(0_u32..40, 0..40),
        ) {
            let levels = Levels {
                read: Bitmaps::from([
                    (Field::Name, name.iter().copied().collect()),
                    (Field::CardNumber, card.into_iter().collect()),
                ]),
                presented: Bitmaps::from([(Field::Session, session.iter().copied().collect())]),
                ..Levels::default()
            };
            let population =
                Population { everyone: everyone.iter().copied().collect(), ..Population::default() };
            let people = exposed_people(&levels, &population);
            let counts = levels.count_people(&population.everyone);
            prop_assert_eq!(people.exposed, counts.read + counts.presented);
            prop_assert_eq!(people.told + people.session_only + people.gone, people.exposed);
            let told = name.intersection(&everyone).count() as u64;
            prop_assert_eq!(people.told, told);
            let gone = name.union(&session).filter(|of| !everyone.contains(of)).count() as u64;
            prop_assert_eq!(people.gone, gone);
            prop_assert_eq!(people.without_address, people.told + people.session_only);
        }
    }
}
