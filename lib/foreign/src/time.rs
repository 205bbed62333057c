//! Parses the times of logs.

use cofferdam_core::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

/// The instant of a line: one, or two if its clock time exists twice or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instants {
    first: Timestamp,
    second: Option<Timestamp>,
}

impl From<Timestamp> for Instants {
    fn from(at: Timestamp) -> Self {
        Self { first: at, second: None }
    }
}

impl Instants {
    /// The earlier instant.
    pub const fn first(self) -> Timestamp {
        self.first
    }

    /// The instants, the earlier first.
    pub fn iter(self) -> impl Iterator<Item = Timestamp> {
        std::iter::once(self.first).chain(self.second)
    }
}

/// The instants at which clocks of a zone showed a time. At the end of summer time, an hour exists
/// twice.
pub fn local(civil: DateTime, zone: &TimeZone) -> Option<Instants> {
    let at = |offset: Offset| offset.to_timestamp(civil).ok();
    Some(match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => at(offset)?.into(),
        AmbiguousOffset::Gap { before, after } | AmbiguousOffset::Fold { before, after } => {
            let (a, b) = (at(before)?, at(after)?);
            Instants { first: a.min(b), second: Some(a.max(b)) }
        }
    })
}

/// The instants at which clocks of a zone showed a time, if the zone was then called `short`.
fn local_called(civil: DateTime, zone: &TimeZone, short: &str) -> Option<Instants> {
    let called = |at: &Timestamp| zone.to_offset_info(*at).abbreviation() == short;
    let mut fitting = local(civil, zone)?.iter().filter(called);
    Some(Instants { first: fitting.next()?, second: fitting.next() })
}

/// Parses a time of `PostgreSQL`, such as `2026-11-24 00:35:01.123 UTC`. If the time zone is
/// abbreviated in letters other than UTC, the time is in the zone `named`, if that zone has these
/// letters. Seconds since 1970 are a time too.
pub fn parse_postgres(text: &str, named: Option<&TimeZone>) -> Option<Instants> {
    if let Some((seconds, _)) = text.split_once('.').filter(|_| !text.contains(' ')) {
        return Some(Timestamp::from_second(seconds.parse().ok()?).ok()?.into());
    }
    let (civil, zone) = text.rsplit_once(' ')?;
    let civil: DateTime = civil.parse().ok()?;
    match zone {
        "UTC" | "GMT" | "Z" => Offset::UTC.to_timestamp(civil).ok().map(Instants::from),
        letters => match offset(letters) {
            Some(offset) => offset.to_timestamp(civil).ok().map(Instants::from),
            None => local_called(civil, named?, letters),
        },
    }
}

/// Parses a time of a web server, such as `24/Nov/2026:00:35:01 +0100`.
pub fn parse_combined(text: &str) -> Option<Timestamp> {
    jiff::fmt::strtime::parse("%d/%b/%Y:%H:%M:%S %z", text).ok()?.to_timestamp().ok()
}

/// Parses a time in RFC 3339, as web servers write it, or in seconds, milliseconds, microseconds or
/// nanoseconds since 1970. A number in text is a number. A time without an offset is in UTC.
pub fn parse_json(value: &serde_json::Value) -> Option<Timestamp> {
    match value {
        serde_json::Value::String(text) => {
            let number = || parse_json(&serde_json::Value::Number(text.parse().ok()?));
            let in_utc = || Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
            let combined = || parse_combined(text);
            text.parse().ok().or_else(number).or_else(in_utc).or_else(combined)
        }
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => from_number(whole),
            None => from_fraction(number.as_f64()?),
        },
        _ => None,
    }
}

/// A number with a fraction, or written like one. A fraction is one of seconds.
#[expect(clippy::cast_possible_truncation, reason = "the casts saturate")]
fn from_fraction(number: f64) -> Option<Timestamp> {
    if number.fract() == 0.0 {
        return from_number(number as i64);
    }
    Timestamp::from_millisecond((number * 1e3) as i64).ok()
}

/// A number of seconds, or of a smaller unit. Seconds reach 10^11 in the year 5138; milliseconds
/// reached it in 1973.
fn from_number(number: i64) -> Option<Timestamp> {
    match number.unsigned_abs() {
        0..100_000_000_000 => Timestamp::from_second(number),
        100_000_000_000..100_000_000_000_000 => Timestamp::from_millisecond(number),
        100_000_000_000_000..100_000_000_000_000_000 => Timestamp::from_microsecond(number),
        _ => Timestamp::from_nanosecond(number.into()),
    }
    .ok()
}

/// Parses a UTC offset such as `+01` or `-03:30`.
fn offset(zone: &str) -> Option<Offset> {
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
    let number = |text: &str| text.parse::<u8>().ok().map(i32::from);
    Offset::from_seconds(sign * (number(hours)? * 3_600 + number(minutes)? * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_every_format_are_parsed() {
        let at = |text: &str| text.parse::<Timestamp>().ok();
        let berlin = TimeZone::get("Europe/Berlin").ok();
        let pg = |text: &str| parse_postgres(text, berlin.as_ref()).map(Instants::first);
        assert_eq!(pg("2026-11-24 00:35:01.123 UTC"), at("2026-11-24T00:35:01.123Z"));
        assert_eq!(pg("2026-11-24 00:35:01.123 CET"), at("2026-11-23T23:35:01.123Z"));
        assert_eq!(pg("2026-11-24 00:35:01 -03:30"), at("2026-11-24T04:05:01Z"));
        assert_eq!(parse_postgres("2026-11-24 00:35:01 CET", None), None);
        assert_eq!(pg("yesterday"), None);
        assert_eq!(pg("2012-10-28 02:30:00 CET"), at("2012-10-28T01:30:00Z"));
        assert_eq!(pg("2012-10-28 02:30:00 CEST"), at("2012-10-28T00:30:00Z"));
        assert_eq!(pg("2012-10-28 02:30:00 PST"), None, "the zone has no such letters");
        assert_eq!(parse_combined("24/Nov/2026:00:35:01 +0100"), at("2026-11-23T23:35:01Z"));
        for json in [
            "1795478400000000",
            "1795478400000000000",
            "\"1795478400\"",
            "\"2026-11-24 00:00:00\"",
            "\"2026-11-24T00:00:00Z\"",
            "1795478400",
            "1795478400000",
            "1795478400.0",
            "1795478400000.0",
            "1.7954784e12",
            "\"24/Nov/2026:01:00:00 +0100\"",
            "\"2026-11-24 00:00:00,000\"",
        ] {
            let value = serde_json::from_str(json).unwrap();
            assert_eq!(parse_json(&value), at("2026-11-24T00:00:00Z"), "{json}");
        }
    }

    #[test]
    fn a_clock_time_that_exists_twice_has_two_instants() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let instants =
            |text: &str| local(text.parse().unwrap(), &berlin).unwrap().iter().collect::<Vec<_>>();
        let moscow = TimeZone::get("Europe/Moscow").unwrap();
        let both = parse_postgres("2014-10-26 01:30:00 MSK", Some(&moscow)).unwrap();
        assert_eq!(both.iter().count(), 2, "the clock was set back, and kept its letters");
        let twice = [at("2012-10-28T00:30:00Z"), at("2012-10-28T01:30:00Z")];
        assert_eq!(instants("2012-10-28T02:30:00"), twice);
        assert_eq!(instants("2012-10-28T04:30:00"), [at("2012-10-28T03:30:00Z")]);
        assert_eq!(instants("2012-03-25T02:30:00").len(), 2, "no clock showed it");
    }
}
