//! `PostgreSQL`'s own logs with lines of pgaudit among them:
//! `AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.customer,"SELECT …",7`.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};

use cofferdam_core::{Access, CallerName, Timestamp};
use csv::{ReaderBuilder, StringRecord};
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::mapping::Pgaudit;
use crate::sql::{self, Statement};
use crate::{Item, ReadError, Take, lines, time};

/// What pgaudit writes in place of a text that it wrote in the line before.
const BEFORE: &str = "<previously logged>";
/// What it writes where nothing is to be logged, or there is nothing.
const NOTHING: [&str; 2] = ["<not logged>", "<none>"];
/// Sessions whose last statement is remembered.
const SESSIONS: usize = 10_000;

/// Reads `csvlog`.
pub fn read_csv<E>(of: &Pgaudit, log: impl BufRead, take: Take<'_, E>) -> Result<(), ReadError<E>> {
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).from_reader(BufReader::new(log));
    let (mut record, mut audit) = (StringRecord::new(), Audit::new(of));
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => {}
            Err(e) => {
                if let csv::ErrorKind::Io(_) = e.kind() {
                    let source = std::io::Error::other(e);
                    return Err(ReadError::Io { line, source });
                }
                let why = "it is not UTF-8".to_owned();
                take(Item::Bad { line, why }).map_err(ReadError::Taker)?;
                continue;
            }
        }
        // In the order of PostgreSQL 15's manual, section 20.8.4.
        let cell = |place: usize| record.get(place).unwrap_or_default();
        let row = (record.len() >= 23).then(|| Row {
            at: cell(0),
            user: cell(1),
            // The port is of no use.
            host: cell(4).rsplit_once(':').map_or(cell(4), |(host, _)| host),
            session: cell(5),
            message: cell(13),
        });
        audit.row(line, row, take).map_err(ReadError::Taker)?;
    }
}

/// Reads `jsonlog`.
pub fn read_json<E>(
    of: &Pgaudit,
    log: impl BufRead,
    take: Take<'_, E>,
) -> Result<(), ReadError<E>> {
    #[derive(Deserialize)]
    struct Line {
        timestamp: String,
        #[serde(default)]
        user: String,
        #[serde(default)]
        remote_host: String,
        #[serde(default)]
        session_id: String,
        #[serde(default)]
        message: String,
    }
    let mut audit = Audit::new(of);
    lines(log, &mut |line, text| {
        let read = match text {
            Ok("") => return Ok(()),
            Ok(text) => serde_json::from_str::<Line>(text).ok(),
            Err(why) => return take(Item::Bad { line, why }),
        };
        let row = read.as_ref().map(|read| Row {
            at: &read.timestamp,
            user: &read.user,
            host: &read.remote_host,
            session: &read.session_id,
            message: &read.message,
        });
        audit.row(line, row, take)
    })
}

/// What of a line matters.
struct Row<'a> {
    at: &'a str,
    user: &'a str,
    host: &'a str,
    session: &'a str,
    message: &'a str,
}

/// The lines of pgaudit, one after the other.
struct Audit<'a> {
    of: &'a Pgaudit,
    zone: Option<TimeZone>,
    /// Each session's last statement, and its parameters.
    last: HashMap<String, (String, String)>,
}

impl<'a> Audit<'a> {
    fn new(of: &'a Pgaudit) -> Self {
        let zone = of.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        Self { of, zone, last: HashMap::new() }
    }

    fn row<E>(&mut self, line: u64, row: Option<Row<'_>>, take: Take<'_, E>) -> Result<(), E> {
        let mut bad = |why: &str| take(Item::Bad { line, why: why.to_owned() });
        let Some(row) = row else { return bad("it is no line of PostgreSQL's log") };
        let Some(at) = time::of_postgres(row.at, self.zone.as_ref()) else {
            return bad("it begins with no instant, or one of a zone that time_zone does not name");
        };
        let Some(audit) = row.message.strip_prefix("AUDIT: ") else { return take(Item::Seen(at)) };
        let Some(cells) = split(audit) else { return bad("pgaudit's part of it is cut off") };
        take(Item::Seen(at))?;
        self.statement(line, at, &row, &cells, take)
    }

    fn statement<E>(
        &mut self,
        line: u64,
        at: Timestamp,
        row: &Row<'_>,
        cells: &StringRecord,
        take: Take<'_, E>,
    ) -> Result<(), E> {
        let cell = |place: usize| cells.get(place).unwrap_or_default();
        let (number, class, command, object) = (cell(1), cell(3), cell(4), cell(6));
        let key = format!("{}/{number}/{}", row.session, cell(2));
        let (mut text, mut parameters) = (cell(7).to_owned(), cell(8).to_owned());
        if text == BEFORE {
            (text, parameters) = self.last.get(&key).cloned().unwrap_or_default();
        } else {
            if self.last.len() >= SESSIONS {
                self.last.clear();
            }
            self.last.insert(key, (text.clone(), parameters.clone()));
        }
        if NOTHING.contains(&text.as_str()) {
            text.clear();
        }
        let statement = Statement {
            class,
            command,
            object: (!object.is_empty()).then_some(object),
            text: &text,
            parameters: parse_parameters(&parameters),
        };
        for found in sql::resolve(self.of, &statement) {
            take(Item::Access(Access {
                line,
                at,
                caller: CallerName::from_foreign(row.host),
                via: CallerName::from_foreign(row.user),
                operation: found.operation,
                fields: found.fields,
                whose: found.whose,
            }))?;
        }
        Ok(())
    }
}

fn parse_parameters(text: &str) -> Option<Vec<String>> {
    if NOTHING.contains(&text) || text == BEFORE {
        return None;
    }
    split(text).map(|cells| cells.iter().map(str::to_owned).collect())
}

/// One row of CSV in a text.
fn split(text: &str) -> Option<StringRecord> {
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    reader.read_record(&mut record).ok()?.then_some(record)
}

#[cfg(test)]
mod tests {
    use cofferdam_core::{Field, Operation, Personal, Whose};

    use super::*;
    use crate::{LogMapping, read_log};

    const MAPPING: &str = r#"
        format = "pgaudit-csv"
        [[table]]
        name = "public.customer"
        key = "id"
        email = "email"
        fields = { full_name = "name", email = "email" }
    "#;

    fn read(mapping: &str, log: &str) -> Vec<Item> {
        let mapping: LogMapping = toml::from_str(mapping).unwrap();
        let mut items = Vec::new();
        let done = read_log(&mapping, log.as_bytes(), &mut |item| {
            if !matches!(item, Item::Seen(_)) {
                items.push(item);
            }
            Ok::<_, ()>(())
        });
        assert!(done.is_ok());
        items
    }

    fn csv_line(message: &str) -> String {
        let message = message.replace('"', "\"\"");
        format!(
            "2026-11-24 00:35:01.123 UTC,\"app\",\"shop\",99,\"10.0.0.5:4711\",6746.63,1,\"SELECT\",\
             2026-11-24 00:00:00 UTC,3/2,0,LOG,00000,\"{message}\",,,,,,,,,\"web\",\"client \
             backend\",,0\n"
        )
    }

    #[test]
    fn a_statement_names_its_customer_and_its_client() {
        let log = csv_line(
            "AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.customer,\"SELECT full_name FROM customer \
             WHERE id = $1\",4711",
        );
        let [Item::Access(access)] = &read(MAPPING, &log)[..] else { panic!("one access") };
        assert_eq!((access.caller.as_str(), access.via.as_str()), ("10-0-0-5", "app"));
        assert_eq!(access.operation, Operation::Release);
        assert_eq!(access.fields.iter().collect::<Vec<_>>(), [Field::Name]);
        assert_eq!(access.whose, Whose::Keys(vec![Personal::new("4711")]));
    }

    #[test]
    fn what_was_logged_before_is_remembered_and_what_is_unknown_is_everybody() {
        let one = |text: &str| csv_line(&format!("AUDIT: SESSION,1,1,READ,SELECT,TABLE,{text}"));
        let log = one("public.orders,SELECT email FROM customer WHERE id = 7,<none>")
            + &one("public.customer,<previously logged>,<previously logged>");
        let [Item::Access(access)] = &read(MAPPING, &log)[..] else { panic!("one access") };
        assert_eq!(access.whose, Whose::Keys(vec![Personal::new("7")]));
        let log = one("public.customer,<not logged>,<not logged>");
        let [Item::Access(access)] = &read(MAPPING, &log)[..] else { panic!("one access") };
        assert!(matches!(access.whose, Whose::Everybody { .. }) && access.fields.len() == 2);
    }

    #[test]
    fn json_and_csv_say_the_same_and_broken_lines_are_named() {
        let mapping = MAPPING.replace("pgaudit-csv", "pgaudit-json");
        let log = r#"{"timestamp":"2026-11-24 00:35:01.123 UTC","user":"app","remote_host":"10.0.0.5","session_id":"a.b","message":"AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.customer,SELECT email FROM customer WHERE id IN (1 ,2),<none>"}
{"timestamp":"2026-11-24 00:35:02 CET","message":"no zone"}
{"timest"#;
        let items = read(&mapping, log);
        assert!(matches!(&items[0], Item::Access(a) if a.caller.as_str() == "10-0-0-5"));
        let lines = |item: &Item| matches!(item, Item::Bad { line, .. } if *line > 1);
        assert!(items.len() == 3 && items[1..].iter().all(lines), "{items:?}");
    }
}
