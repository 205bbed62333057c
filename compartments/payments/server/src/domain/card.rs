//! Card numbers and dates of expiry: parsed once, right from then on.

use cofferdam_core::{Personal, Timestamp};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use payments_api::Brand;
use zeroize::Zeroizing;

/// A card number with a good check digit (ISO/IEC 7812-1), digits only.
#[derive(Debug, Clone)]
pub struct CardNumber(Personal);

/// Why a card is refused. Says nothing of the number itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCard {
    /// Something other than digits, blanks and hyphens.
    #[error("a card number is of digits")]
    Digits,
    /// Too short or too long.
    #[error("a card number has 12 to 19 digits")]
    Length,
    /// A typing error, most likely.
    #[error("the card number's check digit does not match")]
    CheckDigit,
    /// No such month, or a year far off.
    #[error("the date of expiry is not a month from 1 to 12 and a year within 20 years")]
    Date,
    /// Past its date.
    #[error("the card has expired")]
    Expired,
}

impl CardNumber {
    /// Reads what a customer typed: blanks and hyphens between the digits don't matter.
    pub fn parse(typed: &Personal) -> Result<Self, BadCard> {
        let digits: Zeroizing<String> =
            Zeroizing::new(typed.expose().chars().filter(|c| !matches!(c, ' ' | '-')).collect());
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadCard::Digits);
        }
        if !(12..=19).contains(&digits.len()) {
            return Err(BadCard::Length);
        }
        if !luhn(digits.as_bytes()) {
            return Err(BadCard::CheckDigit);
        }
        Ok(Self(Personal::new(digits.as_str())))
    }

    /// The digits.
    pub const fn digits(&self) -> &Personal {
        &self.0
    }

    /// The last four of them.
    pub fn last4(&self) -> Personal {
        let digits = self.0.expose();
        Personal::new(&digits[digits.len() - 4..])
    }

    /// Whose network, by the leading digits.
    pub fn brand(&self) -> Brand {
        let head = |n: usize| self.0.expose()[..n].parse::<u32>().unwrap_or(0);
        match (head(1), head(2), head(3), head(4)) {
            (4, ..) => Brand::Visa,
            (_, 51..=55, ..) | (.., 2221..=2720) => Brand::Mastercard,
            (_, 34 | 37, ..) => Brand::Amex,
            (_, 65, ..) | (_, _, 644..=649, _) | (.., 6011) => Brand::Discover,
            (.., 3528..=3589) => Brand::Jcb,
            (_, 36 | 38 | 39, ..) | (_, _, 300..=305, _) => Brand::Diners,
            _ => Brand::Other,
        }
    }
}

/// The check of Hans Peter Luhn (US patent 2,950,048): from the right, every second digit
/// doubled, the digits' sum divisible by ten.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            match (place % 2, digit) {
                (0, digit) => digit,
                (_, digit) if digit > 4 => 2 * digit - 9,
                (_, digit) => 2 * digit,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The last month in which a card is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    month: u8,
    year: u16,
}

/// How many years ahead a card may be dated.
const FAR: i16 = 20;

impl Expiry {
    /// Takes month and year, if the card is still good at `now` anywhere on Earth.
    pub fn parse(month: u8, year: u16, now: Timestamp) -> Result<Self, BadCard> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let month_ = i8::try_from(month).map_err(|_| BadCard::Date)?;
        let year_ = i16::try_from(year).map_err(|_| BadCard::Date)?;
        let first = Date::new(year_, month_, 1).map_err(|_| BadCard::Date)?;
        if year_ > today.year() + FAR {
            return Err(BadCard::Date);
        }
        // The day after the last: the month ends later west of Greenwich.
        if today > first.last_of_month().tomorrow().map_err(|_| BadCard::Date)? {
            return Err(BadCard::Expired);
        }
        Ok(Self { month, year })
    }

    /// `MM/YYYY`.
    pub fn to_personal(self) -> Personal {
        Personal::new(format!("{:02}/{}", self.month, self.year))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<CardNumber, BadCard> {
        CardNumber::parse(&Personal::new(text))
    }

    /// The networks' published test numbers.
    #[test]
    fn brands_go_by_the_leading_digits() {
        for (number, brand) in [
            ("4111 1111 1111 1111", Brand::Visa),
            ("5555-5555-5555-4444", Brand::Mastercard),
            ("2223003122003222", Brand::Mastercard),
            ("378282246310005", Brand::Amex),
            ("6011111111111117", Brand::Discover),
            ("3530111333300000", Brand::Jcb),
            ("36227206271667", Brand::Diners),
            ("9999999999999995", Brand::Other),
        ] {
            assert_eq!(parse(number).map(|n| n.brand()), Ok(brand), "{number}");
        }
        assert_eq!(parse("4111 1111 1111 1111").unwrap().last4().expose(), "1111");
    }

    #[test]
    fn what_is_no_card_number_is_refused() {
        for (number, error) in [
            ("", BadCard::Digits),
            ("4111 1111 1111 111x", BadCard::Digits),
            ("٤١١١١١١١١١١١١١١١", BadCard::Digits),
            ("42", BadCard::Length),
            ("41111111111111111111", BadCard::Length),
            ("4111 1111 1111 1112", BadCard::CheckDigit),
        ] {
            assert_eq!(parse(number).unwrap_err(), error, "{number}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_always_caught(
            head in "[0-9]{11,18}",
            place in 0_usize..19,
            other in 0_u8..10,
        ) {
            let good = (0..10)
                .map(|check| format!("{head}{check}"))
                .find(|number| parse(number).is_ok())
                .ok_or_else(|| TestCaseError::fail("no check digit fits"))?;
            let place = place % good.len();
            let mut wrong = good.clone().into_bytes();
            prop_assume!(wrong[place] != b'0' + other);
            wrong[place] = b'0' + other;
            let wrong = String::from_utf8(wrong).map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!(parse(&wrong).map(|_| ()), Err(BadCard::CheckDigit));
        }

        #[test]
        fn foreign_text_never_panics(text: String) {
            let _ = parse(&text);
        }
    }

    #[test]
    fn a_card_is_good_to_the_end_of_its_month_everywhere() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let good = |month, year, now| Expiry::parse(month, year, at(now)).map(|_| ());
        assert_eq!(good(2, 2012, "2012-02-29T23:00:00Z"), Ok(()));
        assert_eq!(good(2, 2012, "2012-03-01T09:00:00Z"), Ok(()), "still February in Honolulu");
        assert_eq!(good(2, 2012, "2012-03-02T00:00:00Z"), Err(BadCard::Expired));
        assert_eq!(good(13, 2012, "2012-01-01T00:00:00Z"), Err(BadCard::Date));
        assert_eq!(good(0, 2012, "2012-01-01T00:00:00Z"), Err(BadCard::Date));
        assert_eq!(good(1, 2033, "2012-01-01T00:00:00Z"), Err(BadCard::Date));
        assert_eq!(good(1, 65_535, "2012-01-01T00:00:00Z"), Err(BadCard::Date));
    }
}
