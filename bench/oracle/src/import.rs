//! The import: `cofferdam_foreign` reads each statement as the server logged it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use cofferdam_core::{Access, Operation, Whose};
use cofferdam_foreign::{Item, LogMapping, read_log};

use crate::server::Connection;
use crate::shop::{PEOPLE, Shop, all_fields, email};
use crate::statements::Statement;
use crate::truth::Read;

/// The environment variable with the directory of the server's logs.
const LOGS: &str = "COFFERDAM_TEST_POSTGRES_LOGS";
/// The longest wait for a line of the log.
const PATIENCE: Duration = Duration::from_mins(1);

/// The import's reading of a statement.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// The people and fields that count as read.
    pub read: Read,
    /// The reasons why something counts for everybody.
    pub reasons: BTreeSet<String>,
}

/// The settings under which each statement is logged.
const SETTINGS: [&str; 2] = ["logged", "terse"];
/// The ways in which the import reads each statement: as logged under each of [`SETTINGS`], with the
/// shop's catalogue and without.
pub const WAYS: [&str; 4] =
    ["logged", "terse", "logged, without a catalogue", "terse, without a catalogue"];

/// The log of the server, and the sessions that write to it.
pub struct Import {
    log: PathBuf,
    /// With a catalogue, and without.
    mappings: [LogMapping; 2],
    database: String,
    sessions: [Connection; 2],
}

impl Import {
    pub fn open(shop: &mut Shop, mapping: &str) -> Self {
        let Ok(logs) = std::env::var(LOGS) else { panic!("run ./test or set {LOGS}") };
        let mut with = LogMapping::parse(mapping).unwrap();
        with.set_catalogue(shop.catalogue()).unwrap();
        let without = LogMapping::parse(&without_catalogue(mapping)).unwrap();
        Self {
            log: PathBuf::from(logs).join("postgresql.json"),
            mappings: [with, without],
            database: shop.name.clone(),
            sessions: SETTINGS.map(|role| shop.connect(role)),
        }
    }

    /// Runs statements, and reads what the server logs about them. Gives, for each statement, what
    /// the import says in each of [`WAYS`].
    pub fn read(&mut self, statements: &[Statement]) -> Vec<[Said; 4]> {
        let began = std::fs::metadata(&self.log).map_or(0, |file| file.len());
        for session in &mut self.sessions {
            for (number, statement) in statements.iter().enumerate() {
                session.run(&format!("SET application_name = 'statement {number}'"));
                session.run("BEGIN");
                match &statement.parameters[..] {
                    [] => session.queue(&statement.sql),
                    parameters => session.queue_with(&statement.sql, parameters),
                }
                session.queue("ROLLBACK");
                session.flush();
                session.answer();
                session.answer();
            }
            session.run("SET application_name = 'end'");
            session.run("SELECT 1");
        }
        let lines = self.lines(began);
        let own = |number: usize, role: &str| {
            let user = format!("{}_{role}", self.database);
            lines.get(&(user, format!("statement {number}"))).map_or("", String::as_str)
        };
        let said = |number: usize| {
            let [logged, terse] = SETTINGS.map(|role| own(number, role));
            let [with, without] = &self.mappings;
            [(with, logged), (with, terse), (without, logged), (without, terse)]
                .map(|(mapping, lines)| said(mapping, lines))
        };
        (0..statements.len()).map(said).collect()
    }

    /// The lines of the own database since a place in the log, by role and application name.
    fn lines(&self, began: u64) -> BTreeMap<(String, String), String> {
        let mut file = File::open(&self.log).unwrap();
        file.seek(SeekFrom::Start(began)).unwrap();
        let mut file = BufReader::new(file);
        let (mut lines, mut line) = (BTreeMap::<_, String>::new(), String::new());
        let (mut ended, mut waited) = (BTreeSet::new(), Duration::ZERO);
        while ended.len() < SETTINGS.len() {
            file.read_line(&mut line).unwrap();
            if !line.ends_with('\n') {
                assert!(waited < PATIENCE, "the server does not log what it does");
                let pause = Duration::from_millis(20);
                std::thread::sleep(pause);
                waited += pause;
                continue;
            }
            let parsed: serde_json::Value = serde_json::from_str(&line).unwrap();
            let text = |name: &str| parsed[name].as_str().unwrap_or_default().to_owned();
            if text("dbname") == self.database {
                let (user, application) = (text("user"), text("application_name"));
                if application == "end" && text("message").contains("SELECT 1") {
                    ended.insert(user.clone());
                }
                *lines.entry((user, application)).or_default() += &line;
            }
            line.clear();
        }
        lines
    }
}

fn said(mapping: &LogMapping, lines: &str) -> Said {
    let mut said = Said::default();
    read_log(mapping, lines.as_bytes(), &mut |item| {
        match item {
            Item::Access(access) if access.operation == Operation::Release => {
                said.count(&access);
            }
            Item::Bad { why, .. } => {
                said.reasons.insert(why);
                let everybody = (1..=PEOPLE).flat_map(|person| {
                    all_fields().iter().map(move |field| (person, field)).collect::<Vec<_>>()
                });
                said.read.extend(everybody);
            }
            _ => {}
        }
        Ok::<_, ()>(())
    })
    .unwrap();
    said
}

/// The mapping as shops write it that have no catalogue. A table that is mapped through another one
/// needs one, so the last table is left out.
fn without_catalogue(mapping: &str) -> String {
    let (rest, _) = mapping.rsplit_once("[[table]]").unwrap();
    rest.replace("catalogue = \"catalogue.json\"", "")
}

impl Said {
    fn count(&mut self, access: &Access) {
        if let Whose::Everybody { why } = &access.whose {
            self.reasons.insert(why.clone());
        }
        for person in 1..=PEOPLE {
            let counts = match &access.whose {
                Whose::Everybody { .. } => true,
                Whose::Keys(keys) => keys.iter().any(|key| key.expose() == person.to_string()),
                Whose::Emails(all) => {
                    all.iter().any(|own| own.expose().eq_ignore_ascii_case(&email(person)))
                }
            };
            if counts {
                self.read.extend(access.fields.iter().map(|field| (person, field)));
            }
        }
    }
}
