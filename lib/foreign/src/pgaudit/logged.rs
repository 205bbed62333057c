//! Statements that `PostgreSQL` itself logs: by `log_statement`, by their duration, with a plan of
//! `auto_explain`, or beside an error. A role that pgaudit leaves out is seen only here.
//!
//! Messages are translated (`lc_messages`), so a statement is known by its first word, not by the
//! words before it.

use super::prefix::{LEVELS, PARTS};

/// The first words of all commands, by `PostgreSQL` 15's manual, part VI, and of those commands of the
/// replication protocol (section 55.4) that give out data.
const COMMANDS: &[&str] = &[
    "ABORT",
    "ALTER",
    "ANALYZE",
    "BASE_BACKUP",
    "BEGIN",
    "CALL",
    "CHECKPOINT",
    "CLOSE",
    "CLUSTER",
    "COMMENT",
    "COMMIT",
    "COPY",
    "CREATE",
    "DEALLOCATE",
    "DECLARE",
    "DELETE",
    "DISCARD",
    "DO",
    "DROP",
    "END",
    "EXECUTE",
    "EXPLAIN",
    "FETCH",
    "GRANT",
    "IMPORT",
    "INSERT",
    "LISTEN",
    "LOAD",
    "LOCK",
    "MERGE",
    "MOVE",
    "NOTIFY",
    "PREPARE",
    "REASSIGN",
    "REFRESH",
    "REINDEX",
    "RELEASE",
    "RESET",
    "REVOKE",
    "ROLLBACK",
    "SAVEPOINT",
    "SECURITY",
    "SELECT",
    "SET",
    "SHOW",
    "START",
    "START_REPLICATION",
    "TABLE",
    "TRUNCATE",
    "UNLISTEN",
    "UPDATE",
    "VACUUM",
    "VALUES",
    "WITH",
];
/// A message with more places where a statement may begin is not followed.
const MAX_PLACES: usize = 20;
/// The length of what stands before the parameters, such as `parameters: `, in bytes.
const MAX_LABEL: usize = 40;
/// The value of a parameter of which the log has a part only. It names nobody.
const CUT: &str = "<long param suppressed>";

/// The statement in a message, as far as it can be told.
#[derive(Debug, PartialEq, Eq)]
pub enum Logged<'a> {
    /// The message is about no statement.
    Nothing,
    /// The statement is one of these texts. A client chooses the name of a prepared statement, which
    /// stands before the text, so there may be several.
    OneOf(Vec<&'a str>),
    /// The message is about a statement without its text.
    Unreadable,
}

/// Finds the statement in a message. In a log of text, the level stands before the message.
pub fn logged(message: &str) -> Logged<'_> {
    let message = match message.split_once(":  ") {
        Some((level, _)) if PARTS.contains(&level) => return Logged::Nothing,
        Some((level, message)) if LEVELS.contains(&level) => message,
        _ => message,
    };
    // A statement that a driver only prepares gives out nothing.
    if behind_duration(message).is_some_and(|rest| rest.starts_with("parse ")) {
        return Logged::Nothing;
    }
    if let Some(plan) = behind_duration(message).and_then(|rest| rest.strip_prefix("plan:")) {
        return explained(plan).map_or(Logged::Unreadable, |text| Logged::OneOf(vec![text]));
    }
    if behind_duration(message).unwrap_or(message).starts_with("fastpath function call: ") {
        return Logged::Unreadable;
    }
    let behind_colons = message.char_indices().filter(|(_, c)| [':', '：'].contains(c));
    let texts = behind_colons.map(|(place, c)| &message[place + c.len_utf8()..]);
    let found: Vec<_> = texts.filter(|text| is_command(text)).take(MAX_PLACES + 1).collect();
    match found.len() {
        0 => Logged::Nothing,
        1..=MAX_PLACES => Logged::OneOf(found),
        _ => Logged::Unreadable,
    }
}

/// The part of `duration: 0.123 ms  statement: …` behind the duration.
fn behind_duration(message: &str) -> Option<&str> {
    let (number, rest) = message.strip_prefix("duration: ")?.split_once(" ms  ")?;
    number.bytes().all(|b| b.is_ascii_digit() || b == b'.').then_some(rest)
}

/// The text of a statement that `auto_explain` logged in its own format, `text`. The plan behind it
/// begins at the last line that is not indented and has a cost: a client can write such a line only
/// before it.
fn explained(plan: &str) -> Option<&str> {
    let text = plan.strip_prefix("\nQuery Text: ")?;
    let mut lines = text.match_indices('\n').map(|(place, _)| (place, &text[place + 1..]));
    let first_line = |text: &str| text.lines().next().unwrap_or_default().contains("  (cost=");
    let root = lines.rfind(|(_, rest)| !rest.starts_with(' ') && first_line(rest));
    root.map(|(place, _)| &text[..place])
}

/// Whether a text begins with a command, or with something that may stand before one.
fn is_command(text: &str) -> bool {
    let text = text.trim_start();
    let word = text.find(|c: char| !c.is_ascii_alphabetic() && c != '_').unwrap_or(text.len());
    let begins = ["/*", "--", "(", ";"].iter().any(|sign| text.starts_with(sign));
    begins || COMMANDS.iter().any(|command| command.eq_ignore_ascii_case(&text[..word]))
}

/// The parameters in a detail such as `parameters: $1 = '7', $2 = NULL`; `None` if it has none.
pub fn parameters(detail: &str) -> Option<Vec<String>> {
    let (label, mut rest) = detail.split_at_checked(detail.find("$1 = ")?)?;
    let words = |c: char| c.is_alphabetic() || [' ', ':', '：'].contains(&c);
    if label.len() > MAX_LABEL || !label.chars().all(words) {
        return None;
    }
    let mut values = Vec::new();
    loop {
        rest = rest.strip_prefix(&format!("${} = ", values.len() + 1))?;
        let value;
        (value, rest) = match rest.strip_prefix("NULL") {
            Some(rest) => (String::new(), rest),
            None => quoted(rest)?,
        };
        values.push(value);
        rest = match rest.strip_prefix(", ") {
            Some(rest) => rest,
            None => return rest.is_empty().then_some(values),
        };
    }
}

/// The value of a text in quotes, and what stands behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('\'')?;
    let mut value = String::new();
    loop {
        let (part, behind) = rest.split_once('\'')?;
        value.push_str(part);
        rest = match behind.strip_prefix('\'') {
            Some(behind) => behind,
            // `log_parameter_max_length` leaves a part of a long value.
            None if value.ends_with("...") => return Some((CUT.to_owned(), behind)),
            None => return Some((value, behind)),
        };
        value.push('\'');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_found_in_every_language_and_form() {
        let texts = |message| match logged(message) {
            Logged::OneOf(texts) => texts.iter().map(|text| text.trim()).collect(),
            Logged::Nothing => vec!["-"],
            Logged::Unreadable => vec!["?"],
        };
        let explained = "duration: 4.1 ms  plan:\nQuery Text: SELECT a\n-- x  (cost=\nFROM b\nSeq Scan \
             on b  (cost=0.00..1.00 rows=1 width=4)\n  Filter: x  (cost=";
        for (message, expected) in [
            ("statement: SELECT 1", &["SELECT 1"][..]),
            ("LOG:  statement: select 1", &["select 1"]),
            ("STATEMENT:  /* x */ SELECT 1", &["/* x */ SELECT 1"]),
            ("duration: 0.1 ms  statement: (SELECT 1)", &["(SELECT 1)"]),
            ("duration: 0.1 ms  bind <unnamed>: SELECT $1", &["SELECT $1"]),
            ("LOG:  duration: 0.1 ms  parse <unnamed>: SELECT $1", &["-"]),
            ("execute fetch from a/b: SELECT 1", &["SELECT 1"]),
            ("execute x: SELECT 1 --: SELECT 2", &["SELECT 1 --: SELECT 2", "SELECT 2"]),
            ("Dauer: 0,1 ms  Anweisung: SELECT 1", &["SELECT 1"]),
            ("durée : 0,1 ms, instruction : SELECT 1", &["SELECT 1"]),
            ("语句：SELECT 1", &["SELECT 1"]),
            (
                "received replication command: BASE_BACKUP ( LABEL 'x' )",
                &["BASE_BACKUP ( LABEL 'x' )"],
            ),
            ("fastpath function call: \"lo_get\" (OID 7)", &["?"]),
            (explained, &["SELECT a\n-- x  (cost=\nFROM b"]),
            ("duration: 4.1 ms  plan:\n{\"Query Text\": \"SELECT 1\"}", &["?"]),
            (&": ;".repeat(21), &["?"]),
            ("connection authorized: user=app database=shop", &["-"]),
            ("LOG:  checkpoint starting: time", &["-"]),
            ("duration: 0.1 ms", &["-"]),
            ("DETAIL:  prepare: SELECT 1", &["-"]),
        ] {
            assert_eq!(texts(message), expected, "{message}");
        }
    }

    #[test]
    fn parameters_are_those_that_the_server_wrote() {
        let values = |detail| parameters(detail).map(|values| values.join("|"));
        let told = |text: &str| Some(text.to_owned());
        assert_eq!(values("parameters: $1 = '7', $2 = NULL, $3 = 'it''s'"), told("7||it's"));
        assert_eq!(values("Parameter: $1 = 'a, $2 = b'"), told("a, $2 = b"));
        assert_eq!(values("parameters: $1 = 'ada@ho...'"), told(CUT));
        for none in
            ["", "prepare: PREPARE \"$1 = '7'\"", "parameters: $1 = '7", "parameters: $1 = '7'x"]
        {
            assert_eq!(values(none), None, "{none}");
        }
    }
}
