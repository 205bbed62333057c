//! The rules for cards that are stored.

use cofferdam_core::{Field, FieldSet, Timestamp};
use payments_api::CardDetails;

use super::expiry::{BadExpiry, Expiry};
use super::number::{BadNumber, CardNumber};

/// The most cards of one call.
const MAX_CARDS: usize = 1_000;

/// The fields that every card is sealed with.
pub const SEALED: FieldSet =
    FieldSet::EMPTY.with(Field::CardNumber).with(Field::CardExpiry).with(Field::CardMasked);

/// A card that passed the rules.
#[derive(Debug)]
pub struct Card {
    /// The card number, checked.
    pub number: CardNumber,
    /// Month and year of expiry.
    pub expiry: Expiry,
}

/// Cards that are refused. The message names no digit.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCards {
    /// There are no cards, or too many.
    #[error("a call brings 1 to {MAX_CARDS} cards")]
    Count,
    /// The number of a card is wrong.
    #[error("card {place}: {why}")]
    Number {
        /// The place in the list, from 1 on.
        place: usize,
        /// The fault of the number.
        why: BadNumber,
    },
    /// The expiry of a card is wrong.
    #[error("card {place}: {why}")]
    Expiry {
        /// The place in the list, from 1 on.
        place: usize,
        /// The fault of the expiry.
        why: BadExpiry,
    },
}

/// Checks the cards of a call at `now`.
pub fn check_cards(cards: &[CardDetails], now: Timestamp) -> Result<Vec<Card>, BadCards> {
    if !(1..=MAX_CARDS).contains(&cards.len()) {
        return Err(BadCards::Count);
    }
    let check = |(place, card): (usize, &CardDetails)| {
        Ok(Card {
            number: CardNumber::parse(&card.number)
                .map_err(|why| BadCards::Number { place, why })?,
            expiry: Expiry::parse(card.expiry_month, card.expiry_year, now)
                .map_err(|why| BadCards::Expiry { place, why })?,
        })
    };
    (1..).zip(cards).map(check).collect()
}

#[cfg(test)]
mod tests {
    use cofferdam_core::Personal;

    use super::*;

    fn details(number: &str, expiry_month: u8) -> CardDetails {
        CardDetails { number: Personal::new(number), expiry_month, expiry_year: 2014 }
    }

    #[test]
    fn the_first_bad_card_is_named_by_its_place() {
        let now = "2012-01-15T08:00:00Z".parse().unwrap();
        let good = || details("4111111111111111", 11);
        let check = |cards: &[CardDetails]| check_cards(cards, now).map(|cards| cards.len());
        assert_eq!(check(&[good(), good()]), Ok(2));
        assert_eq!(check(&vec![good(); MAX_CARDS]), Ok(MAX_CARDS));
        for cards in [vec![], vec![good(); MAX_CARDS + 1]] {
            assert_eq!(check(&cards), Err(BadCards::Count));
        }
        let number = BadCards::Number { place: 2, why: BadNumber::CheckDigit };
        assert_eq!(check(&[good(), details("4111111111111112", 11), good()]), Err(number));
        let expiry = BadCards::Expiry { place: 3, why: BadExpiry::Month };
        assert_eq!(check(&[good(), good(), details("4111111111111111", 13)]), Err(expiry));
    }
}
