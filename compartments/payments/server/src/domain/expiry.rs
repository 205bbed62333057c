//! Month and year of expiry.

use cofferdam_core::{Personal, Timestamp};
use jiff::tz::TimeZone;

/// The number of years ahead that a card may expire. A later year is a typing error.
const YEARS_AHEAD: u16 = 20;

/// The month at whose end a card expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    month: u8,
    year: u16,
}

/// A month of expiry that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadExpiry {
    /// There is no such month.
    #[error("the month of expiry is 1 to 12")]
    Month,
    /// The card has expired.
    #[error("the card has expired")]
    Expired,
    /// The year is later than any issuer writes on a card.
    #[error("no card expires more than {YEARS_AHEAD} years ahead; the year is written in full")]
    TooFar,
}

impl Expiry {
    /// Takes a month that is not over at `now`, in UTC.
    pub fn parse(month: u8, year: u16, now: Timestamp) -> Result<Self, BadExpiry> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let this_month = (today.year().unsigned_abs(), today.month().unsigned_abs());
        if !(1..=12).contains(&month) {
            return Err(BadExpiry::Month);
        }
        if (year, month) < this_month {
            return Err(BadExpiry::Expired);
        }
        if year > this_month.0 + YEARS_AHEAD {
            return Err(BadExpiry::TooFar);
        }
        Ok(Self { month, year })
    }

    /// Formats the expiry as `MM/YYYY`.
    pub fn text(self) -> Personal {
        Personal::new(format!("{:02}/{:04}", self.month, self.year))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_good_to_the_end_of_its_month() {
        let parse = |month, year, now: &str| {
            let expiry = Expiry::parse(month, year, now.parse().unwrap());
            expiry.map(|expiry| expiry.text().expose().to_owned())
        };
        assert_eq!(parse(1, 2012, "2012-01-31T23:59:59Z"), Ok("01/2012".to_owned()));
        assert_eq!(parse(1, 2012, "2012-02-01T00:00:00Z"), Err(BadExpiry::Expired));
        assert_eq!(parse(12, 2011, "2012-01-01T00:00:00Z"), Err(BadExpiry::Expired));
        assert_eq!(parse(12, 2032, "2012-01-01T00:00:00Z"), Ok("12/2032".to_owned()));
        assert_eq!(parse(1, 2033, "2012-01-01T00:00:00Z"), Err(BadExpiry::TooFar));
        assert_eq!(parse(1, 14, "2012-01-01T00:00:00Z"), Err(BadExpiry::Expired));
        for month in [0, 13, 255] {
            assert_eq!(parse(month, 2013, "2012-01-01T00:00:00Z"), Err(BadExpiry::Month));
        }
    }
}
