//! An access log on the terminal.

use response_api::AccessLog;
use staff::import::PlannedLog;
use staff::printable;

use crate::words;

/// The most actors that are shown. `--json` has all.
const ACTORS: usize = 12;

/// Describes a log that was brought.
pub fn brought(log: &AccessLog) -> Vec<String> {
    let AccessLog { accesses, everybody, unknown, unreadable, .. } = log;
    let [accesses, everybody, unknown, unreadable] =
        [accesses, everybody, unknown, unreadable].map(|n| words::number(*n));
    vec![
        format!("{}  {} ({})", log.log, printable(&log.name), log.format),
        format!(
            "  is complete from {} to {}",
            words::instant(log.covers.from),
            words::instant(log.covers.to)
        ),
        format!(
            "  {accesses} accesses, {everybody} count as everybody's; {unknown} names not in the \
             table; {unreadable} lines make no sense"
        ),
        format!("  appearing: {}", words::largest(&log.actors, ACTORS).unwrap_or_default()),
    ]
}

/// Describes a log that `access-log add` would bring.
pub fn planned(log: &PlannedLog) -> Vec<String> {
    let PlannedLog { accesses, everybody, unreadable, .. } = log;
    let [accesses, everybody, unreadable] =
        [accesses, everybody, unreadable].map(|n| words::number(*n));
    let covers = log.covers.map_or_else(
        || "no line has a time: give --covers-from and --covers-to".to_owned(),
        |span| {
            let (from, to) = (words::instant(span.from), words::instant(span.to));
            format!("is complete from {from} to {to}")
        },
    );
    vec![
        format!("{} ({})", printable(&log.name), log.format),
        format!("  {covers}"),
        format!(
            "  {accesses} accesses, {everybody} count as everybody's; {unreadable} lines make no \
             sense"
        ),
        format!("  appearing: {}", words::largest(&log.actors, ACTORS).unwrap_or_default()),
    ]
}
