//! PostgreSQL's `log_line_prefix`.
//!
//! Source: PostgreSQL 15's manual, section 20.8.3.

use serde::Deserialize;

use super::AUDIT;
use super::rows::Row;

/// The word of a line that holds the statement of the message before it.
const STATEMENT: &str = "STATEMENT";
/// The words of lines that hold the other parts of a message.
pub const PARTS: [&str; 5] = ["DETAIL", "HINT", "CONTEXT", "QUERY", "LOCATION"];
/// The levels of messages.
pub const LEVELS: [&str; 12] = [
    "LOG", "NOTICE", "WARNING", "INFO", "DEBUG1", "DEBUG2", "DEBUG3", "DEBUG4", "DEBUG5", "ERROR",
    "FATAL", "PANIC",
];
/// The most places that are tried in one line, so that a hostile name can't take long.
const MAX_TRIES: usize = 20_000;

/// A `log_line_prefix`, as in PostgreSQL's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LinePrefix {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// `%q`: a process without a session stops here.
    Stop,
    Value(Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Time,
    User,
    Database,
    /// The client's host, with its port in parentheses.
    HostAndPort,
    Host,
    Session,
    Process,
    Number,
    /// A value that is not used, and the characters that it can have.
    Other(Class),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Digits, letters and signs, without a space.
    Word,
    /// The time at which the session began.
    Time,
    /// Any text: a client chooses it.
    Any,
}

impl TryFrom<String> for LinePrefix {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fault = |what: &str| Err(format!("log_line_prefix: {what}"));
        let (mut parts, mut chars) = (Vec::new(), text.chars().peekable());
        let mut literal = String::new();
        while let Some(c) = chars.next() {
            if c != '%' {
                literal.push(c);
                continue;
            }
            while chars.next_if(|c| c.is_ascii_digit() || *c == '-').is_some() {}
            let value = match chars.next() {
                Some('%') => {
                    literal.push('%');
                    continue;
                }
                Some('q') => Part::Stop,
                Some(letter) => match value(letter) {
                    Some(value) => Part::Value(value),
                    None => return fault(&format!("%{letter} is not known")),
                },
                None => return fault("it ends within an escape"),
            };
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(value);
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        let has = |of: &[Value]| {
            parts.iter().any(|part| matches!(part, Part::Value(value) if of.contains(value)))
        };
        if !has(&[Value::Time]) {
            return fault("it has no time (%m, %t or %n)");
        }
        if !has(&[Value::User, Value::Host, Value::HostAndPort]) {
            return fault("it has neither user (%u) nor host (%h, %r): the log names nobody");
        }
        Ok(Self { parts })
    }
}

fn value(letter: char) -> Option<Value> {
    Some(match letter {
        'm' | 't' | 'n' => Value::Time,
        'u' => Value::User,
        'd' => Value::Database,
        'r' => Value::HostAndPort,
        'h' => Value::Host,
        'c' => Value::Session,
        'p' => Value::Process,
        'l' => Value::Number,
        'P' | 'Q' | 'e' | 'v' | 'x' => Value::Other(Class::Word),
        's' => Value::Other(Class::Time),
        'a' | 'b' | 'i' => Value::Other(Class::Any),
        _ => return None,
    })
}

impl LinePrefix {
    /// Splits a line. `None` if it does not have this prefix, or if it could be split in several ways:
    /// a client chooses some of the texts before a message.
    pub fn split<'a>(&self, line: &'a str) -> Option<Row<'a>> {
        let mut search = Search { found: None, several: false, tries: 0 };
        search.from(&self.parts, line, Row::default());
        search.found.filter(|_| !search.several && search.tries < MAX_TRIES)
    }
}

/// A search for all ways to split a line.
struct Search<'a> {
    found: Option<Row<'a>>,
    several: bool,
    tries: usize,
}

impl<'a> Search<'a> {
    fn from(&mut self, parts: &[Part], line: &'a str, row: Row<'a>) {
        self.tries += 1;
        if self.tries >= MAX_TRIES || self.several {
            return;
        }
        match parts {
            [] => self.end(line, row),
            [Part::Text(text), rest @ ..] => {
                // A padded value has spaces before or behind it.
                let trimmed = line.trim_start_matches(' ');
                let place = line.strip_prefix(text.as_str());
                let place = place.or_else(|| trimmed.strip_prefix(text.as_str()));
                if let Some(line) = place {
                    self.from(rest, line, row);
                }
            }
            [Part::Stop, rest @ ..] => {
                self.end(line, row);
                self.from(rest, line, row);
            }
            [Part::Value(value), rest @ ..] => self.value(*value, rest, line, row),
        }
    }

    fn value(&mut self, value: Value, rest: &[Part], line: &'a str, row: Row<'a>) {
        let line = line.trim_start_matches(' ');
        match value {
            Value::Time | Value::Other(Class::Time) => {
                let Some(end) = end_of_time(line) else { return };
                let (at, line) = line.split_at(end);
                let at = if value == Value::Time { at } else { row.at };
                self.from(rest, line, Row { at, ..row });
            }
            Value::User | Value::Database | Value::Other(Class::Any) => {
                let ends = line.char_indices().map(|(end, _)| end).chain([line.len()]);
                for end in ends.take(1_000) {
                    let (text, line) = line.split_at(end);
                    let row = match value {
                        Value::User => Row { user: text.trim_end(), ..row },
                        Value::Database => Row { database: text.trim_end(), ..row },
                        _ => row,
                    };
                    self.from(rest, line, row);
                }
            }
            Value::Host => {
                let local = line.strip_prefix("[local]").map(|_| "[local]".len());
                for end in (0..=local.unwrap_or_else(|| end_of_host(line))).rev() {
                    let (host, line) = line.split_at(end);
                    self.from(rest, line, Row { host: Some(host), ..row });
                }
            }
            Value::HostAndPort => {
                let local = line.strip_prefix("[local]").map(|line| ("[local]", line));
                let host = line.split_at(end_of_host(line));
                let with_port = || Some((host.0, host.1.strip_prefix('(')?));
                let port = |(host, line): (&'a str, &'a str)| {
                    let digits = run(line, |c| c.is_ascii_digit());
                    Some((host, line[digits..].strip_prefix(')')?))
                };
                // A process without a client has neither host nor port.
                let (host, line) =
                    local.or_else(|| with_port().and_then(port)).unwrap_or(("", line));
                self.from(rest, line, Row { host: Some(host), ..row });
            }
            Value::Session | Value::Process | Value::Number | Value::Other(Class::Word) => {
                let end = match value {
                    Value::Session => run(line, |c| c.is_ascii_hexdigit() || c == '.'),
                    Value::Process | Value::Number => run(line, |c| c.is_ascii_digit()),
                    _ => run(line, |c| c.is_ascii_alphanumeric() || "/-".contains(c)),
                };
                let (text, line) = line.split_at(end);
                let row = match value {
                    Value::Session => Row { session: text, ..row },
                    // Without an id of the session, its process stands for it.
                    Value::Process if row.session.is_empty() => Row { session: text, ..row },
                    Value::Number => Row { number: text.parse().ok(), ..row },
                    _ => row,
                };
                self.from(rest, line, row);
            }
        }
    }

    /// The level and the message, such as `LOG:  AUDIT: SESSION,…`.
    fn end(&mut self, line: &'a str, row: Row<'a>) {
        let line = line.trim_start_matches(' ');
        let level = run(line, char::is_alphanumeric);
        let Some(message) = line[level..].strip_prefix(":  ").filter(|_| level > 0) else { return };
        let level = &line[..level];
        // A statement that failed is logged as part of a message, whatever its text is.
        let of_audit = message.starts_with(AUDIT) && level != STATEMENT && !PARTS.contains(&level);
        if of_audit && !LEVELS.contains(&level) {
            // Nobody can tell which part of a message this word names.
            self.several = true;
            return;
        }
        let found = Row { message: if of_audit { message } else { line }, ..row };
        self.several |= self.found.is_some_and(|before| before != found);
        self.found = Some(found);
    }
}

/// The length of the text at the beginning that has these characters.
fn run(text: &str, fits: impl Fn(char) -> bool) -> usize {
    text.find(|c| !fits(c)).unwrap_or(text.len())
}

fn end_of_host(line: &str) -> usize {
    run(line, |c| c.is_ascii_alphanumeric() || ".:-_%".contains(c))
}

/// The end of a time: `2026-11-24 00:35:01.123 UTC`, or seconds since 1970.
fn end_of_time(line: &str) -> Option<usize> {
    let number = run(line, |c| c.is_ascii_digit() || c == '.');
    if !line[number..].starts_with('-') {
        return (number > 0).then_some(number);
    }
    let day = run(line, |c| c.is_ascii_digit() || c == '-');
    let clock = day + line[day..].strip_prefix(' ').map(|_| 1)?;
    let clock = clock + run(&line[clock..], |c| c.is_ascii_digit() || ":.".contains(c));
    let zone = clock + line[clock..].strip_prefix(' ').map(|_| 1)?;
    let letters = run(&line[zone..], |c| c.is_ascii_alphabetic());
    // A zone without letters is an offset.
    let end = if letters > 0 {
        letters
    } else {
        run(&line[zone..], |c| c.is_ascii_digit() || "+-:".contains(c))
    };
    // A colon behind an offset belongs to the prefix.
    let end = zone + line[zone..zone + end].trim_end_matches(':').len();
    (end > zone).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.customer,SELECT 1,<none>";

    fn split(prefix: &str, line: &str) -> Option<[String; 5]> {
        let prefix = LinePrefix::try_from(prefix.to_owned()).unwrap();
        let Row { at, user, host, session, message, .. } = prefix.split(line)?;
        Some([at, user, host.unwrap_or("-"), session, message].map(str::to_owned))
    }

    #[test]
    fn prefixes_of_distributions_and_services_are_split() {
        let debian = "2026-11-24 00:35:01.123 UTC [99] app@shop ";
        let rds = "2026-11-24 00:35:01 UTC:10.0.0.5(4711):app@shop:[99]:";
        let badger =
            "2026-11-24 00:35:01 CET [99]: [7-1] user=app,db=shop,app=web,client=10.0.0.5 ";
        let padded = "1795478400.123 app        [local] 6b0beeec.7fe6 12 ";
        for (prefix, head, expected) in [
            ("%m [%p] %q%u@%d ", debian, ["2026-11-24 00:35:01.123 UTC", "app", "-", "99"]),
            ("%t:%r:%u@%d:[%p]:", rds, ["2026-11-24 00:35:01 UTC", "app", "10.0.0.5", "99"]),
            (
                "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
                badger,
                ["2026-11-24 00:35:01 CET", "app", "10.0.0.5", "99"],
            ),
            ("%n %-10u %h %c %l ", padded, ["1795478400.123", "app", "[local]", "6b0beeec.7fe6"]),
        ] {
            let found = split(prefix, &format!("{head}LOG:  {LINE}"));
            let [at, user, host, session] = expected.map(str::to_owned);
            assert_eq!(found, Some([at, user, host, session, LINE.to_owned()]), "{prefix}");
        }
        let idle = "2026-11-24 00:35:01.123 UTC [99] LOG:  checkpoint starting: time";
        let message = "LOG:  checkpoint starting: time";
        assert_eq!(split("%m [%p] %q%u@%d ", idle).unwrap()[4], message);
    }

    #[test]
    fn a_line_that_could_be_split_in_several_ways_is_not_split() {
        let prefix = "%m [%p] %u@%d app=%a ";
        let head = "2026-11-24 00:35:01.123 UTC [99] app@shop app=";
        let forged = format!("x LOG:  {LINE} LOG:  {}", LINE.replace("customer", "orders"));
        assert_eq!(split(prefix, &format!("{head}{forged}")), None);
        assert!(split(prefix, &format!("{head}web LOG:  {LINE}")).is_some());
        let failed = split(prefix, &format!("{head}web STATEMENT:  {LINE}")).unwrap();
        let message = format!("STATEMENT:  {LINE}");
        assert_eq!(failed[4], message, "the text of a statement that failed is no line of pgaudit");
        assert_eq!(split(prefix, &format!("{head}web ПРОТОКОЛ:  {LINE}")), None);
        assert_eq!(split(prefix, "2026-11-24 00:35:01.123 UTC [99] torn"), None);
        assert_eq!(split(prefix, &format!("{head}{}", " @ app= ".repeat(10_000))), None);
    }

    #[test]
    fn a_prefix_that_says_too_little_is_refused() {
        for (prefix, fault) in [
            ("[%p] %u ", "no time"),
            ("%m [%p] ", "neither user"),
            ("%m %u %y", "%y is not known"),
            ("%m %u %", "ends within"),
        ] {
            let error = LinePrefix::try_from(prefix.to_owned()).unwrap_err();
            assert!(error.contains(fault), "{error}");
        }
    }
}
