//! `PostgreSQL`'s logs with lines of pgaudit, such as
//! `AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.customer,"SELECT …",7`.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};

use cofferdam_core::{Access, CallerName, Timestamp};
use csv::{ReaderBuilder, StringRecord};
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::mapping::Pgaudit;
use crate::sql::{self, Known, Statement};
use crate::{Item, ReadError, Take, lines, time};

/// pgaudit's text in place of a statement that an earlier line of the same statement has.
const BEFORE: &str = "<previously logged>";
/// pgaudit's texts in place of a statement or parameters that are not logged or don't exist.
const NOTHING: [&str; 2] = ["<not logged>", "<none>"];
/// The number of statements that are remembered for lines that refer to an earlier one.
const REMEMBERED: usize = 10_000;

/// Reads a `csvlog`.
pub fn read_csv<E>(
    mapping: &Pgaudit,
    log: impl BufRead,
    take: Take<'_, E>,
) -> Result<(), ReadError<E>> {
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).from_reader(BufReader::new(log));
    let (mut record, mut audit) = (StringRecord::new(), Audit::new(mapping));
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
                let why = "the line is not UTF-8".to_owned();
                take(Item::Bad { line, why }).map_err(ReadError::Taker)?;
                continue;
            }
        }
        // PostgreSQL 15's manual gives the order of the columns in section 20.8.4.
        let cell = |place: usize| record.get(place).unwrap_or_default();
        // Rows have 23 cells up to PostgreSQL 12, 24 in 13, and 26 from 14 on. Another number is a row
        // that was torn in two.
        let row = matches!(record.len(), 23 | 24 | 26).then(|| Row {
            at: cell(0),
            user: cell(1),
            // The port would make every connection a client of its own.
            host: cell(4).rsplit_once(':').map_or(cell(4), |(host, _)| host),
            session: cell(5),
            message: cell(13),
        });
        audit.read_row(line, row, take).map_err(ReadError::Taker)?;
    }
}

/// Reads a `jsonlog`.
pub fn read_json<E>(
    mapping: &Pgaudit,
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
    let mut audit = Audit::new(mapping);
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
        audit.read_row(line, row, take)
    })
}

/// The columns of a log line that are used.
struct Row<'a> {
    at: &'a str,
    user: &'a str,
    host: &'a str,
    session: &'a str,
    message: &'a str,
}

/// A reader of pgaudit's lines, which must come in the order of the log.
struct Audit {
    known: Known,
    zone: Option<TimeZone>,
    /// The text and the parameters of each statement. Later lines of the same statement refer to
    /// them.
    remembered: HashMap<String, (String, String)>,
}

impl Audit {
    fn new(mapping: &Pgaudit) -> Self {
        let zone = mapping.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        Self { known: Known::new(mapping), zone, remembered: HashMap::new() }
    }

    fn read_row<E>(&mut self, line: u64, row: Option<Row<'_>>, take: Take<'_, E>) -> Result<(), E> {
        let mut bad = |why: &str| take(Item::Bad { line, why: why.to_owned() });
        let Some(row) = row else { return bad("the line is not one of PostgreSQL's log") };
        let Some(at) = time::parse_postgres(row.at, self.zone.as_ref()) else {
            return bad("the line has no time, or its time zone is unknown; set time_zone");
        };
        let Some(audit) = row.message.strip_prefix("AUDIT: ") else {
            take(Item::Seen(at))?;
            return take(Item::Harmless { line });
        };
        let Some(cells) = split(audit) else { return bad("pgaudit's part of the line is cut off") };
        take(Item::Seen(at))?;
        self.read_statement(line, at, &row, &cells, take)
    }

    fn read_statement<E>(
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
            (text, parameters) = self.remembered.get(&key).cloned().unwrap_or_default();
        } else {
            if self.remembered.len() >= REMEMBERED {
                self.remembered.clear();
            }
            self.remembered.insert(key, (text.clone(), parameters.clone()));
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
        let found = sql::resolve(&self.known, &statement);
        if found.is_empty() {
            return take(Item::Harmless { line });
        }
        for found in found {
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

/// Splits a text that is one row of CSV.
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
        other_relations = ["public.orders"]
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
            if !matches!(item, Item::Seen(_) | Item::Harmless { .. }) {
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
    fn a_statement_logged_before_is_remembered_and_an_unlogged_one_is_everybodys() {
        let audit = |text: &str| csv_line(&format!("AUDIT: SESSION,1,1,READ,SELECT,TABLE,{text}"));
        let log = audit("public.orders,SELECT email FROM customer WHERE id = 7,<none>")
            + &audit("public.customer,<previously logged>,<previously logged>");
        let [Item::Access(access)] = &read(MAPPING, &log)[..] else { panic!("one access") };
        assert_eq!(access.whose, Whose::Keys(vec![Personal::new("7")]));
        let log = audit("public.customer,<not logged>,<not logged>");
        let [Item::Access(access)] = &read(MAPPING, &log)[..] else { panic!("one access") };
        assert!(matches!(access.whose, Whose::Everybody { .. }) && access.fields.len() == 2);
    }

    #[test]
    fn a_row_that_was_torn_in_two_is_bad() {
        let whole =
            csv_line("AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.customer,SELECT 1,<none>");
        let torn = whole.replace(",00000,", ",00000\n");
        let bad = |item: &Item| matches!(item, Item::Bad { .. });
        let items = read(MAPPING, &torn);
        assert!(items.len() == 2 && items.iter().all(bad), "{items:?}");
    }

    #[test]
    fn json_reads_like_csv_and_broken_lines_are_named() {
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
