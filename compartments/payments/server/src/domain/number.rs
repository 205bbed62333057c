//! Card numbers (ISO/IEC 7812-1).

use cofferdam_core::Personal;
use payments_api::Brand;

use super::brand::brand_of;

/// A card number with a good check digit, digits only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardNumber(Personal);

/// A text that is no card number. The message tells nothing about the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadNumber {
    /// The text has other characters than digits, blanks and hyphens.
    #[error("a card number has digits, blanks and hyphens only")]
    Characters,
    /// The number is too short or too long.
    #[error("a card number has 12 to 19 digits")]
    Length,
    /// A digit was mistyped.
    #[error("the card number's check digit is wrong")]
    CheckDigit,
}

impl CardNumber {
    /// Parses a number as typed. Blanks and hyphens make no difference.
    pub fn parse(typed: &Personal) -> Result<Self, BadNumber> {
        let typed = typed.expose();
        if !typed.bytes().all(|b| matches!(b, b'0'..=b'9' | b' ' | b'-')) {
            return Err(BadNumber::Characters);
        }
        // The capacity is that of the typed text, so that no half-filled copy is left behind by
        // growth.
        let mut digits = String::with_capacity(typed.len());
        digits.extend(typed.chars().filter(char::is_ascii_digit));
        let digits = Personal::new(digits);
        if !(12..=19).contains(&digits.expose().len()) {
            return Err(BadNumber::Length);
        }
        if !luhn_sum(digits.expose()).is_multiple_of(10) {
            return Err(BadNumber::CheckDigit);
        }
        Ok(Self(digits))
    }

    /// All digits of the number.
    pub const fn digits(&self) -> &Personal {
        &self.0
    }

    /// The last four digits of the number.
    pub fn last4(&self) -> Personal {
        let digits = self.0.expose();
        Personal::new(digits.get(digits.len() - 4..).unwrap_or_default())
    }

    /// The card's network.
    pub fn brand(&self) -> Brand {
        brand_of(self.0.expose())
    }
}

/// The sum of the digits, every second one from the right doubled and cast out of nines.
fn luhn_sum(digits: &str) -> u32 {
    let digits = digits.bytes().rev().map(|b| u32::from(b - b'0'));
    let weighed = digits.enumerate().map(|(place, digit)| match (place % 2, digit) {
        (1, 0..=4) => digit * 2,
        (1, _) => digit * 2 - 9,
        _ => digit,
    });
    weighed.sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<CardNumber, BadNumber> {
        CardNumber::parse(&Personal::new(text))
    }

    #[test]
    fn numbers_are_taken_as_people_type_them() {
        let number = parse("4111 1111-1111 1111").unwrap();
        assert_eq!(number.digits().expose(), "4111111111111111");
        assert_eq!(number.last4().expose(), "1111");
        assert_eq!(number.brand(), Brand::Visa);
        for (text, error) in [
            ("", BadNumber::Length),
            ("00000000000", BadNumber::Length),
            ("00000000000000000000", BadNumber::Length),
            ("4111111111111112", BadNumber::CheckDigit),
            ("411111111111111x", BadNumber::Characters),
            ("４１１１１１１１１１１１", BadNumber::Characters),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    /// A number with a check digit that is computed without the code above, by Luhn's own table.
    fn with_check_digit(body: &[u8]) -> Vec<u8> {
        const DOUBLED: [u8; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
        let sum: u32 = (0..)
            .zip(body.iter().rev())
            .map(|(i, d)| u32::from(if i % 2 == 0 { DOUBLED[usize::from(*d)] } else { *d }))
            .sum();
        let check = u8::try_from((10 - sum % 10) % 10).unwrap();
        body.iter().copied().chain([check]).collect()
    }

    fn text(digits: &[u8]) -> String {
        digits.iter().map(|d| char::from(b'0' + d)).collect()
    }

    proptest! {
        #[test]
        fn any_single_mistyped_digit_is_caught(
            body in proptest::collection::vec(0_u8..10, 11..=18),
            place in any::<proptest::sample::Index>(),
            by in 1_u8..10,
        ) {
            let mut digits = with_check_digit(&body);
            let good = text(&digits);
            prop_assert!(parse(&good).is_ok_and(|number| number.digits().expose() == good));
            let place = place.index(digits.len());
            digits[place] = (digits[place] + by) % 10;
            prop_assert_eq!(parse(&text(&digits)), Err(BadNumber::CheckDigit));
        }

        #[test]
        fn nothing_that_is_typed_breaks_it(typed in "\\PC{0,40}|[0-9 -]{0,40}") {
            if let Ok(number) = parse(&typed) {
                prop_assert!((12..=19).contains(&number.digits().expose().len()));
            }
        }
    }
}
