//! Logs of PostgreSQL from files, with the people and fields of a table of twenty that each of them
//! read or supplied.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed step is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cofferdam_core::{Field, Operation, Whose};
use cofferdam_foreign::{Item, LogMapping, read_log};

const ALL: &str = "name,email,phone,shipping_address,password";

fn fixture(name: &str) -> String {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/foreign");
    std::fs::read_to_string(directory.join(name)).unwrap()
}

/// The keys and e-mail addresses of the table.
fn people() -> Vec<(String, String)> {
    let table = fixture("roster.csv");
    let cells = |row: &str| row.split(',').map(str::to_owned).collect::<Vec<_>>();
    let rows = table.lines().skip(1).map(cells);
    rows.map(|row| (row[0].clone(), row[2].clone())).collect()
}

/// The people of each operation and field.
type Touched = BTreeMap<(Operation, Field), BTreeSet<String>>;

fn touched(mapping: &str, log: &str) -> Touched {
    let mapping: LogMapping = toml::from_str(&fixture(mapping)).unwrap();
    let mut touched = Touched::new();
    let read = read_log(&mapping, log.as_bytes(), &mut |item| {
        let access = match item {
            Item::Access(access) => access,
            Item::Bad { line, why } => panic!("line {line}: {why}"),
            Item::Gap { line, .. } => panic!("line {line}: lines are missing"),
            Item::Seen(_)
            | Item::ShowsReads { .. }
            | Item::Harmless { .. }
            | Item::Unnamed { .. }
            | Item::Continues => {
                return Ok::<_, ()>(());
            }
        };
        let people = people();
        let named = people.iter().filter(|(key, email)| match &access.whose {
            Whose::Keys(keys) => keys.iter().any(|of| of.expose() == key),
            Whose::Emails(emails) => emails.iter().any(|of| of.expose() == email),
            Whose::Everybody { .. } => true,
        });
        let named: Vec<_> = named.map(|(key, _)| key.clone()).collect();
        for field in access.fields.iter() {
            touched.entry((access.operation, field)).or_default().extend(named.clone());
        }
        Ok(())
    });
    assert!(read.is_ok());
    touched
}

/// The records and fields that a log touched, as text: `release 20: name,email`.
fn shown(mapping: &str, log: &str) -> Vec<String> {
    let mut by_people: BTreeMap<(Operation, Vec<String>), Vec<&str>> = BTreeMap::new();
    for ((operation, field), people) in &touched(mapping, log) {
        let people: Vec<_> = people.iter().cloned().collect();
        by_people.entry((*operation, people)).or_default().push(field.as_str());
    }
    let show = |((operation, people), fields): (&(Operation, Vec<String>), &Vec<&str>)| {
        let who =
            if people.len() == 1 { format!("of {}", people[0]) } else { people.len().to_string() };
        format!("{operation} {who}: {}", fields.join(","))
    };
    by_people.iter().map(show).collect()
}

#[test]
fn each_log_counts_for_the_people_and_fields_that_it_read() {
    for (log, mapping, expected) in [
        ("02-json-agg-star.csv", "pg.toml", format!("release 20: {ALL}")),
        ("03-returning-json-star.csv", "pg.toml", format!("release of 7: {ALL}")),
        ("05-column-mapped-elsewhere.csv", "pg-two.toml", format!("release 20: {ALL}")),
        ("06-copy-unmapped-column.csv", "pg.toml", format!("release 20: {ALL}")),
        ("09-partition.csv", "pg.toml", format!("release 20: {ALL}")),
        ("10-union-table.csv", "pg.toml", format!("release 20: {ALL}")),
        ("13-upsert-parameter.csv", "pg.toml", "seal of 8: email".to_owned()),
        ("15-numeric-parameter.csv", "pg.toml", "release 20: email".to_owned()),
        ("16-cast-of-literal.csv", "pg.toml", "release 20: email".to_owned()),
        ("17-cte-name-hides-view.csv", "pg.toml", format!("release 20: {ALL}")),
    ] {
        assert_eq!(shown(mapping, &fixture(log)), [expected], "{log}");
    }
}

#[test]
fn a_wide_range_counts_for_everybody_and_stays_small() {
    let log = fixture("20-between.csv").repeat(31);
    assert_eq!(shown("pg.toml", &log), ["release 20: phone"]);
    let mapping: LogMapping = toml::from_str(&fixture("pg.toml")).unwrap();
    let read = read_log(&mapping, log.as_bytes(), &mut |item| {
        let names = |keys: &Vec<_>| keys.len() <= 1_000;
        assert!(
            !matches!(item, Item::Access(access) if matches!(&access.whose, Whose::Keys(keys) if !names(keys)))
        );
        Ok::<_, ()>(())
    });
    assert!(read.is_ok());
}
