//! Parses the times of logs.

use cofferdam_core::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// Parses a time of `PostgreSQL`, such as `2026-11-24 00:35:01.123 UTC`. If the time zone is
/// abbreviated in letters other than UTC, the time is in the zone `named`.
pub fn parse_postgres(text: &str, named: Option<&TimeZone>) -> Option<Timestamp> {
    let (civil, zone) = text.rsplit_once(' ')?;
    let civil: DateTime = civil.parse().ok()?;
    let zone = match zone {
        "UTC" | "GMT" | "Z" => TimeZone::UTC,
        _ => match offset(zone) {
            Some(offset) => TimeZone::fixed(offset),
            None => named?.clone(),
        },
    };
    Some(civil.to_zoned(zone).ok()?.timestamp())
}

/// Parses a time of a web server, such as `24/Nov/2026:00:35:01 +0100`.
pub fn parse_combined(text: &str) -> Option<Timestamp> {
    jiff::fmt::strtime::parse("%d/%b/%Y:%H:%M:%S %z", text).ok()?.to_timestamp().ok()
}

/// Parses a time in RFC 3339, or in seconds or milliseconds since 1970.
pub fn parse_json(value: &serde_json::Value) -> Option<Timestamp> {
    /// Smaller numbers are seconds. Seconds reach this number in the year 5138; milliseconds
    /// reached it in 1973.
    const SECONDS: i64 = 100_000_000_000;
    match value {
        serde_json::Value::String(text) => text.parse().ok(),
        serde_json::Value::Number(number) => {
            #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
            let whole = number.as_i64().or_else(|| number.as_f64().map(|f| (f * 1e3) as i64));
            let (whole, given_ms) = (whole?, number.as_i64().is_none());
            let ms = if given_ms || whole.abs() >= SECONDS {
                whole
            } else {
                whole.checked_mul(1_000)?
            };
            Timestamp::from_millisecond(ms).ok()
        }
        _ => None,
    }
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
        let pg = |text: &str| parse_postgres(text, berlin.as_ref());
        assert_eq!(pg("2026-11-24 00:35:01.123 UTC"), at("2026-11-24T00:35:01.123Z"));
        assert_eq!(pg("2026-11-24 00:35:01.123 CET"), at("2026-11-23T23:35:01.123Z"));
        assert_eq!(pg("2026-11-24 00:35:01 -03:30"), at("2026-11-24T04:05:01Z"));
        assert_eq!(parse_postgres("2026-11-24 00:35:01 CET", None), None);
        assert_eq!(pg("yesterday"), None);
        assert_eq!(parse_combined("24/Nov/2026:00:35:01 +0100"), at("2026-11-23T23:35:01Z"));
        for json in ["\"2026-11-24T00:00:00Z\"", "1795478400", "1795478400000", "1795478400.0"] {
            let value = serde_json::from_str(json).unwrap();
            assert_eq!(parse_json(&value), at("2026-11-24T00:00:00Z"), "{json}");
        }
    }
}
