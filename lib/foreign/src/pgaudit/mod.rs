//! `PostgreSQL`'s logs with lines of pgaudit, such as
//! `AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.customer,"SELECT …",7`.

mod logged;
mod own;
mod prefix;
mod rows;
mod sessions;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::BufRead;

use cofferdam_core::{Access, CallerName, Timestamp};
use csv::{ReaderBuilder, StringRecord};
use jiff::tz::TimeZone;

use crate::mapping::{LogMapping, Pgaudit, UnnamedTables};
use crate::sql::{self, Changes, Found, Known, Statement};
use crate::time::{self, Instants};
use crate::{Item, ReadError, Take};
use own::{OwnLines, OwnRow};
use rows::{Row, visit_rows};
use sessions::{Sessions, Step};

pub use prefix::LinePrefix;

/// The beginning of pgaudit's messages.
pub(crate) const AUDIT: &str = "AUDIT: ";
/// pgaudit's text in place of a statement that an earlier line of the same statement has.
const BEFORE: &str = "<previously logged>";
/// pgaudit's texts in place of a statement or parameters that are not logged or don't exist.
const NOTHING: [&str; 2] = ["<not logged>", "<none>"];
/// The number of statements that are remembered for lines that refer to an earlier one.
const REMEMBERED: usize = 10_000;
/// The cells of pgaudit's part of a line. With `pgaudit.log_rows`, there is another one.
const CELLS: usize = 9;

/// A reader of pgaudit's lines, which must come in the order of the log. It reads the files of one
/// log after each other.
#[derive(Debug)]
pub struct Audit {
    names: Databases,
    zone: Option<TimeZone>,
    statements: Statements,
    own: OwnLines,
    sessions: Sessions,
    /// The users whose reads are logged, as lines showed.
    readers: HashSet<String>,
}

impl Audit {
    pub fn new(mapping: &Pgaudit) -> Self {
        Self {
            names: Databases::new(mapping),
            zone: zone(mapping),
            statements: Statements::default(),
            own: OwnLines::default(),
            sessions: Sessions::default(),
            readers: HashSet::new(),
        }
    }

    /// Reads the next file.
    pub fn read<E>(
        &mut self,
        mapping: &LogMapping,
        log: impl BufRead,
        take: Take<'_, E>,
    ) -> Result<(), ReadError<E>> {
        self.sessions.next_file();
        self.statements.next_file();
        self.own.next_file();
        visit_rows(mapping, log, &mut |line, row| self.read_row(line, row, take))?;
        self.own.end(&self.names, None, take).map_err(ReadError::Taker)
    }

    fn read_row<E>(
        &mut self,
        line: u64,
        row: Result<Row<'_>, String>,
        take: Take<'_, E>,
    ) -> Result<(), E> {
        self.own.end(&self.names, row.as_ref().ok(), take)?;
        let mut bad = |why: &str| take(Item::Bad { line, why: why.to_owned() });
        let row = match row {
            Ok(row) => row,
            Err(why) => return bad(&why),
        };
        let Some(at) = time::parse_postgres(row.at, self.zone.as_ref()) else {
            return bad("the line has no time, or its time zone is unknown; set time_zone");
        };
        match self.sessions.step(row.session, row.number, at.first()) {
            Step::Next => {}
            Step::Joins => take(Item::Continues)?,
            Step::Missing(lines) => take(Item::Gap { line, lines })?,
        }
        let cells = match row.audit() {
            None => None,
            Some(Some(cells)) => Some(cells),
            Some(None) => {
                let why = "pgaudit's part of the line is cut off".to_owned();
                return take(Item::Bad { line, why });
            }
        };
        at.iter().try_for_each(|at| take(Item::Seen(at)))?;
        if let Some(cells) = cells {
            // Object audit logs only the relations granted to its role.
            let shows = || (cells.get(0), cells.get(3)) == (Some("SESSION"), Some("READ"));
            self.show_reads(&row, shows, take)?;
            self.read_statement(line, at, &row, &cells, take)
        } else {
            let own = OwnRow::of(&row);
            self.show_reads(&row, || own.shows_reads(), take)?;
            self.own.read(&self.names, line, at, own, take)
        }
    }

    /// Hands on, once for each user, that the user's reads are logged. `shows` says whether the row shows
    /// it.
    fn show_reads<E>(
        &mut self,
        row: &Row<'_>,
        shows: impl FnOnce() -> bool,
        take: Take<'_, E>,
    ) -> Result<(), E> {
        let known = self.readers.contains(row.user) || self.readers.len() >= REMEMBERED;
        if known || !self.names.is_here(row.database) || !shows() {
            return Ok(());
        }
        self.readers.insert(row.user.to_owned());
        take(Item::ShowsReads { via: Some(CallerName::from_foreign(row.user)) })
    }

    fn read_statement<E>(
        &mut self,
        line: u64,
        at: Instants,
        row: &Row<'_>,
        cells: &StringRecord,
        take: Take<'_, E>,
    ) -> Result<(), E> {
        let cell = |place: usize| cells.get(place).unwrap_or_default();
        let (class, command, object) = (cell(3), cell(4), cell(6));
        let (text, parameters) = self.statements.of(row.session, cells);
        self.own.note_audit(row.session, cell(0), class, &text);
        let Some(known) = self.names.of(row.database) else {
            return take(Item::Harmless { line });
        };
        let statement = Statement {
            class,
            command,
            object: (!object.is_empty()).then_some(object),
            text: &text,
            parameters: parse_parameters(&parameters),
        };
        hand_on(line, at, &Client::of(row), sql::resolve(known, &statement), take)
    }
}

/// The meanings of names in the databases of a server.
#[derive(Debug)]
struct Databases {
    here: Known,
    elsewhere: Known,
    /// The database of the mapping; `None` if the logs have one database only.
    name: Option<String>,
    /// Databases without customers' data.
    others: Vec<String>,
}

impl Databases {
    fn new(mapping: &Pgaudit) -> Self {
        Self {
            here: Known::new(mapping),
            elsewhere: Known::elsewhere(mapping),
            name: mapping.database().map(str::to_owned),
            others: mapping.other_databases.clone(),
        }
    }

    /// The meanings of names in a database; `None` for one without customers' data. A log that does not tell
    /// the database is about the mapping's.
    fn of(&self, database: &str) -> Option<&Known> {
        if self.is_here(database) {
            return Some(&self.here);
        }
        let is_other = self.others.iter().any(|other| other == database);
        (!is_other).then_some(&self.elsewhere)
    }

    /// Whether a database is that of the mapping, as far as the log tells.
    fn is_here(&self, database: &str) -> bool {
        let is_named = |name: &String| database.is_empty() || name == database;
        self.name.as_ref().is_none_or(is_named) && !self.others.iter().any(|of| of == database)
    }
}

/// The client of a session, as the log names it.
#[derive(Debug, Clone)]
struct Client {
    caller: CallerName,
    via: CallerName,
}

impl Client {
    fn of(row: &Row<'_>) -> Self {
        let via = CallerName::from_foreign(row.user);
        Self { caller: row.host.map_or_else(|| via.clone(), CallerName::from_foreign), via }
    }
}

/// Hands on the outcome of a line: the accesses that were found in it.
fn hand_on<E>(
    line: u64,
    at: Instants,
    by: &Client,
    found: Vec<Found>,
    take: Take<'_, E>,
) -> Result<(), E> {
    if found.is_empty() {
        return take(Item::Harmless { line });
    }
    for found in found {
        let access = |at: Timestamp| Access {
            line,
            at,
            caller: by.caller.clone(),
            via: by.via.clone(),
            operation: found.operation,
            fields: found.fields,
            whose: found.whose.clone(),
        };
        at.iter().try_for_each(|at| take(Item::Access(access(at))))?;
    }
    Ok(())
}

/// The findings of a first reading of a log.
#[derive(Debug)]
pub struct Noted {
    /// The changes that definitions make.
    pub changes: Changes,
    /// The databases of which the log has statements.
    pub databases: BTreeSet<String>,
    /// The tables of the mapping that no line names.
    pub unnamed: UnnamedTables,
}

/// Reads a log for what it tells about all of its lines.
pub fn read_definitions<E>(
    mapping: &LogMapping,
    noted: &mut Noted,
    log: impl BufRead,
) -> Result<(), ReadError<E>> {
    let mut statements = Statements::default();
    let own = mapping.pgaudit().and_then(Pgaudit::database);
    visit_rows(mapping, log, &mut |_, row| {
        noted.unnamed.note(row.as_ref().map_or("", |row| row.message));
        let Ok(row) = row else { return Ok(()) };
        let audited = row.message.starts_with(AUDIT);
        let unaudited = (!audited).then(|| OwnRow::of(&row));
        let is_statement = unaudited.as_ref().is_none_or(OwnRow::has_statement);
        if is_statement && !noted.databases.contains(row.database) {
            noted.databases.insert(row.database.to_owned());
        }
        // A definition changes names of its own database only.
        if !row.database.is_empty() && own.is_some_and(|own| own != row.database) {
            return Ok(());
        }
        if let Some(own) = &unaudited {
            own.definitions().for_each(|(command, text)| noted.changes.add(command, text));
        } else if row.message.contains(",DDL,")
            && let Some(Some(cells)) = row.audit()
            && cells.get(3) == Some("DDL")
        {
            // Only a line of a definition refers to the text of one.
            let (text, _) = statements.of(row.session, &cells);
            noted.changes.add(cells.get(4).unwrap_or_default(), &text);
        }
        Ok(())
    })
}

fn zone(mapping: &Pgaudit) -> Option<TimeZone> {
    mapping.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok())
}

/// The text and the parameters of each statement. Later lines of the same statement refer to them.
#[derive(Debug, Default)]
struct Statements {
    remembered: HashMap<String, (String, String)>,
}

impl Statements {
    /// Forgets the statements of sessions that are known by their process only: another session
    /// may have its number by now.
    fn next_file(&mut self) {
        self.remembered.retain(|key, _| key.contains('.'));
    }

    /// The text and the parameters of the statement that a line is about; an empty text if they
    /// were not logged.
    fn of(&mut self, session: &str, cells: &StringRecord) -> (String, String) {
        let cell = |place: usize| cells.get(place).unwrap_or_default();
        let key = format!("{session}/{}/{}", cell(1), cell(2));
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
        (text, parameters)
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
            if !matches!(item, Item::Seen(_) | Item::ShowsReads { .. } | Item::Harmless { .. }) {
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
