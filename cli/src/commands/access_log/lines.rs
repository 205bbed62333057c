//! An access log on the terminal.

use response_api::{AccessLog, LogCatalogue, LogSource, LogStatements, LoggedReads};
use staff::import::{Coverage, PlannedLog};
use staff::printable;

use crate::words;

/// The most actors that are shown. `--json` has all.
const ACTORS: usize = 12;

/// The most shapes of lines that are shown. `--json` has all.
const SHAPES: usize = 40;

/// The most lines of people who are not in the table that are shown. `--json` has a hundred.
const LINES: usize = 12;

/// Describes a log that was brought.
pub fn brought(log: &AccessLog) -> Vec<String> {
    let AccessLog { accesses, everybody, unknown, unreadable, .. } = log;
    let [accesses, everybody, unknown, unreadable] =
        [accesses, everybody, unknown, unreadable].map(|n| words::number(*n));
    let mut out = vec![
        format!("{}  {} ({})", log.log, printable(&log.name), log.format),
        format!(
            "  is complete from {} to {}",
            words::instant(log.covers.from),
            words::instant(log.covers.to)
        ),
        format!(
            "  {accesses} accesses, {everybody} count as everybody's; {unknown} names of people who \
             are not in the table; {unreadable} lines make no sense"
        ),
        format!("  appearing: {}", words::largest(&log.actors, ACTORS).unwrap_or_default()),
        format!("  covers: {}", log.source.as_ref().map_or("nobody: bring it again".into(), hosts)),
    ];
    if !log.unknown_lines.is_empty() {
        let lines: Vec<_> = log.unknown_lines.iter().take(LINES).map(u64::to_string).collect();
        out.push(format!("  people who are not in the table: line {}", lines.join(", ")));
    }
    out.extend(log.catalogue.map(|of| by_catalogue(of, log.stated.unchanged)));
    out.extend(lacking_reads(&log.reads, log.stated.reads_logged));
    let LogStatements { covers, joined, shipped, unchanged, reads_logged } = log.stated;
    let statements = [
        (covers, "complete for this time"),
        (joined, "nothing is missing before the next file"),
        (shipped, "shipped off its host as it grew"),
        (unchanged, "its definitions are those of the catalogue, but for those that it shows"),
        (reads_logged, "every read was logged"),
    ];
    let stated: Vec<_> = statements.iter().filter(|of| of.0).map(|of| of.1).collect();
    if !stated.is_empty() {
        out.push(format!("  by the word of staff: {}", stated.join("; ")));
    }
    out
}

/// Says by which catalogue a log is read, and whether it shows all definitions up to it.
fn by_catalogue(of: LogCatalogue, unchanged: bool) -> String {
    let doubt = if of.followed || unchanged {
        ""
    } else {
        ", and does not show all definitions up to it: it counts as read (--unchanged)"
    };
    format!("  read by the catalogue of {}{doubt}", words::instant(of.taken))
}

/// Says that a log may lack reads; `None` if its lines or staff say that it does not.
fn lacking_reads(reads: &LoggedReads, reads_logged: bool) -> Option<String> {
    let lack = match reads {
        _ if reads_logged => return None,
        LoggedReads::NotAsked | LoggedReads::Shown => return None,
        LoggedReads::NotShown => {
            "not every user has a line that shows that reads are logged: a doubt".into()
        }
        LoggedReads::LeavesOut(roles) => {
            let roles: Vec<_> = roles.iter().map(|role| printable(role)).collect();
            format!("the reads of {} are not logged: everything counts as read", roles.join(", "))
        }
    };
    Some(format!("  {lack} (--reads-logged)"))
}

/// The hosts that a source covers, in words.
fn hosts(source: &LogSource) -> String {
    let mut hosts: Vec<String> = source.covers.iter().map(ToString::to_string).collect();
    match &source.server {
        Some(server) if source.database => hosts.push(format!("not {server} itself")),
        Some(server) => hosts.push(format!("{server}, which must not have fallen or be shipped")),
        None => {}
    }
    if source.clients {
        hosts.push("the clients that appear".to_owned());
    }
    if hosts.is_empty() { "nobody".to_owned() } else { hosts.join("; ") }
}

/// Describes a log that `access-log add` would bring.
pub fn planned(log: &PlannedLog, coverage: Coverage) -> Vec<String> {
    let PlannedLog { accesses, everybody, harmless, unreadable, .. } = log;
    let [accesses, everybody, harmless, unreadable] =
        [accesses, everybody, harmless, unreadable].map(|n| words::number(*n));
    let covers = log.covers.map_or_else(
        || "no line has a time: give --covers-from and --covers-to".to_owned(),
        |span| {
            let (from, to) = (words::instant(span.from), words::instant(span.to));
            format!("is complete from {from} to {to}")
        },
    );
    let mut out = vec![
        format!("{} ({})", printable(&log.name), log.format),
        format!("  {covers}"),
        format!(
            "  {accesses} accesses, {everybody} count as everybody's; {harmless} lines are \
             harmless; {unreadable} make no sense"
        ),
        format!("  appearing: {}", words::largest(&log.actors, ACTORS).unwrap_or_default()),
    ];
    out.extend(log.catalogue.map(|of| by_catalogue(of, coverage.unchanged)));
    out.extend(lacking_reads(&log.reads, coverage.reads_logged));
    if !log.unnamed.is_empty() {
        out.push("  counted as everybody's, the most frequent first:".to_owned());
    }
    out.extend(log.unnamed.iter().take(SHAPES).map(|of| {
        let (lines, shape) = (words::number(of.lines), printable(&of.shape));
        format!("    {lines}  {shape}  (line {})", of.example)
    }));
    out
}
