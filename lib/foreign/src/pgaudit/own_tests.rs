use cofferdam_core::{Field, Personal, Whose};

use crate::testing::{read, shows_reads};
use crate::{Item, LogMapping, read_definitions};

const MAPPING: &str = r#"
    format = "FORMAT"
    other_relations = ["public.orders"]
    [[table]]
    name = "public.customer"
    key = "id"
    fields = { full_name = "name", email = "email" }
"#;
const STDERR: &str = "pgaudit-stderr\"\n log_line_prefix = \"%m [%c] %q%u@%d %h ";
const ALL: &str = "name,email of everybody";

/// A line of a `csvlog`: its level and SQLSTATE, its message, and its detail, context, statement and
/// place.
fn csv(state: &str, message: &str, [detail, context, running, place]: [&str; 4]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let [message, detail, context] = [message, detail, context].map(quoted);
    format!(
        "2026-11-24 00:35:01.123 UTC,\"app\",\"shop\",99,\"10.0.0.5:4711\",6746.63,,\"SELECT\",\
         2026-11-24 00:00:00 UTC,3/2,0,{state},{message},{detail},,,,{context},{},{place},,\"web\",\
         \"client backend\",,0\n",
        quoted(running),
    )
}

fn log(message: &str, detail: &str) -> String {
    csv("LOG,00000", message, [detail, "", "", ""])
}

/// Shows the outcomes of a log: an access as its fields and its customers, and `-` for a harmless line.
fn outcomes(format: &str, log: &str) -> Vec<String> {
    outcomes_of(MAPPING, format, log)
}

fn outcomes_of(mapping: &str, format: &str, log: &str) -> Vec<String> {
    read(&mapping.replace("FORMAT", format), log).iter().map(outcome).collect()
}

fn outcome(item: &Item) -> String {
    match item {
        Item::Access(access) => {
            let fields: Vec<_> = access.fields.iter().map(Field::as_str).collect();
            let whose: Vec<_> = match &access.whose {
                Whose::Keys(keys) => keys.iter().map(Personal::expose).collect(),
                _ => vec!["everybody"],
            };
            format!("{} of {}", fields.join(","), whose.join(","))
        }
        Item::Harmless { .. } => "-".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn one(line: &str) -> String {
    outcomes("pgaudit-csv", line).join("; ")
}

#[test]
fn a_statement_that_only_the_server_logged_counts() {
    for (message, detail, expected) in [
        ("statement: SELECT email FROM customer WHERE id = 7", "", "email of 7"),
        (
            "execute a: SELECT email FROM customer WHERE id = $1",
            "parameters: $1 = '8'",
            "email of 8",
        ),
        ("execute a: SELECT email FROM customer WHERE id = $1", "", "email of everybody"),
        ("execute a: SELECT 1 --: SELECT email FROM customer", "", "email of everybody"),
        ("duration: 3.1 ms  statement: COPY customer TO STDOUT", "", ALL),
        ("duration: 3.1 ms  execute a: EXECUTE x (7)", "", ALL),
        ("statement: SELECT * FROM pg_stats", "", ALL),
        ("statement: BEGIN; SELECT email FROM customer WHERE id = 9; COMMIT", "", "email of 9"),
        ("fastpath function call: \"lo_get\" (OID 7)", "", ALL),
        ("statement: DO $$ BEGIN PERFORM f(); END $$", "", ALL),
        ("statement: CREATE TABLE copy AS SELECT email FROM customer", "", "email of everybody"),
        ("statement: SELECT total FROM orders", "", "-"),
        ("statement: ALTER DATABASE shop SET x = 'SELECT'", "", "-"),
        ("statement: LOCK TABLE customer; SELECT email FROM customer", "", ALL),
        ("statement: REFRESH MATERIALIZED VIEW best", "", "-"),
        ("connection authorized: user=app database=shop", "", "-"),
    ] {
        assert_eq!(one(&log(message, detail)), expected, "{message}");
    }
}

#[test]
fn a_statement_beside_an_error_counts_unless_its_analysis_refused_it() {
    let error = |state: &str, context: &str, running: &str, place: &str| {
        one(&csv(&format!("ERROR,{state}"), "x", ["", context, running, place]))
    };
    let text = "SELECT email, 1 / (id - 7) FROM customer";
    assert_eq!(error("22012", "", text, ""), "email of everybody", "rows came before the error");
    assert_eq!(error("42703", "", "SELECT nope FROM customer", "8"), "-");
    assert_eq!(error("42P01", "PL/pgSQL function f()", "SELECT f()", "8"), ALL);
    assert_eq!(error("42P01", "", "SELECT * FROM customer; SELECT * FROM x", "40"), ALL);
    assert_eq!(error("57014", "", "SELECT email FROM customer", "8"), "email of everybody");
    let running = "SELECT email FROM customer WHERE id = $1";
    let chosen = ["parameters: $1 = '9'", "", running, ""];
    assert_eq!(one(&csv("ERROR,P0001", "x", chosen)), "email of everybody");
}

#[test]
fn a_statement_that_pgaudit_told_counts_once() {
    let text = "SELECT email FROM customer WHERE id = $1";
    let audit = |class: &str| {
        log(&format!("AUDIT: SESSION,1,1,{class},SELECT,TABLE,public.customer,{text},7"), "")
    };
    let failed = csv("ERROR,57014", "canceled", ["", "", text, ""]);
    let told = outcomes("pgaudit-csv", &(audit("READ") + &failed));
    assert_eq!(told, ["email of 7", "-"]);
    // pgaudit may leave out what is read.
    let told = outcomes("pgaudit-csv", &(audit("WRITE") + &failed));
    assert_eq!(told, ["email of 7", "email of everybody"]);
    let other = failed.replace("6746.63", "6746.64");
    let told = outcomes("pgaudit-csv", &(audit("READ") + &other));
    assert_eq!(told, ["email of 7", "email of everybody"], "another session");
}

#[test]
fn a_line_that_only_reads_shows_that_reads_are_logged() {
    let mapping = MAPPING.replace("FORMAT", "pgaudit-csv");
    let audit =
        |kind: &str, class: &str| format!("AUDIT: {kind},1,1,{class},SELECT,,,SELECT 1,<none>");
    for (message, shows) in [
        (audit("SESSION", "READ"), true),
        (audit("SESSION", "WRITE"), false),
        (audit("OBJECT", "READ"), false),
        ("statement: SELECT 1".to_owned(), true),
        ("execute <unnamed>: select 1".to_owned(), true),
        ("duration: 3.1 ms  statement: SELECT 1".to_owned(), false),
        ("Dauer: 812 ms  Anweisung: SELECT 1".to_owned(), false),
        ("durée : 0,1 ms, instruction : SELECT 1".to_owned(), false),
        ("statement: SELECT 1; UPDATE customer SET email = 'x'".to_owned(), false),
        ("statement: -- SELECT\nUPDATE customer SET email = 'x'".to_owned(), false),
        ("statement: SELECT * INTO copy FROM customer".to_owned(), false),
        ("statement: UPDATE customer SET email = 'x'".to_owned(), false),
        ("connection authorized: user=app database=shop".to_owned(), false),
    ] {
        assert_eq!(shows_reads(&mapping, &log(&message, "")), shows, "{message}");
    }
    let failed = csv("ERROR,57014", "canceled", ["", "", "SELECT 1", ""]);
    assert!(!shows_reads(&mapping, &failed), "errors are logged of some statements only");
}

#[test]
fn a_log_of_text_has_parameters_in_the_next_line() {
    let line =
        |text: &str| format!("2026-11-24 00:35:01.123 UTC [6746.63] app@shop 10.0.0.5 {text}\n");
    let execute = line("LOG:  execute a: SELECT email FROM customer WHERE id = $1");
    let detail = line("DETAIL:  parameters: $1 = '7'");
    assert_eq!(outcomes(STDERR, &(execute.clone() + &detail)), ["email of 7", "-"]);
    for other in [
        line("LOG:  parameters: $1 = '7'"),
        detail.replace("6746.63", "6746.64"),
        line("LOG:  duration: 1.0 ms") + &detail,
        String::new(),
    ] {
        let found = outcomes(STDERR, &(execute.clone() + &other));
        assert_eq!(found[0], "email of everybody", "{other}");
        assert!(found[1..].iter().all(|of| of == "-"), "{other}");
    }
    let error = line("ERROR:  column \"nope\" does not exist at character 8");
    let statement = line("STATEMENT:  SELECT nope FROM customer");
    assert_eq!(outcomes(STDERR, &(error.clone() + &statement)), ["-", "-"]);
    assert_eq!(outcomes(STDERR, &(error + &line("CONTEXT:  f()") + &statement))[2], ALL);
    assert_eq!(outcomes(STDERR, &statement), [ALL]);
}

#[test]
fn a_definition_that_only_the_server_logged_changes_meanings() {
    let read = log("statement: SELECT email FROM contact WHERE id = 7", "");
    assert_eq!(one(&read), ALL);
    let view = log("statement: CREATE VIEW contact AS SELECT id, email FROM customer", "");
    assert_eq!(one(&(view.clone() + &read)), "-; email of 7");
    let failed = csv(
        "ERROR,42501",
        "x",
        ["", "", "CREATE VIEW contact AS SELECT id, email FROM customer", ""],
    );
    assert!(one(&(failed + &read)).ends_with(ALL));
    let any = log("statement: /* x */ DROP SCHEMA public CASCADE", "");
    assert_eq!(one(&(view + &any + &read)), format!("-; -; {ALL}"));
}

#[test]
fn a_name_means_nothing_in_another_database() {
    let named = MAPPING.replace("other_relations", "database = \"shop\"\nother_relations");
    let here = log(
        "AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.orders,SELECT total FROM orders,<none>",
        "",
    );
    let there = here.replace("\"shop\"", "\"shop2\"");
    let read = |mapping: &str, log: &str| outcomes_of(mapping, "pgaudit-csv", log);
    assert_eq!(read(&named, &(here.clone() + &there)), ["-", ALL]);
    let harmless = named.replace("database", "other_databases = [\"shop2\"]\ndatabase");
    assert_eq!(read(&harmless, &there), ["-"]);
    assert_eq!(
        read(&named, &there.replace("public.orders,SELECT total FROM orders", ",SELECT 1")),
        ["-"]
    );
    let dropped = log("AUDIT: SESSION,1,1,DDL,DROP SCHEMA,,,DROP SCHEMA x CASCADE,<none>", "");
    assert_eq!(read(&named, &(here.clone() + &dropped)), [ALL, "-"]);
    let dropped = dropped.replace("\"shop\"", "\"shop2\"");
    assert_eq!(read(&named, &(here.clone() + &dropped)), ["-", "-"]);

    let mut unnamed = LogMapping::parse(&MAPPING.replace("FORMAT", "pgaudit-csv")).unwrap();
    read_definitions(&mut unnamed, here.as_bytes()).unwrap();
    assert!(unnamed.check_logs().is_ok());
    read_definitions(&mut unnamed, there.as_bytes()).unwrap();
    assert!(unnamed.check_logs().unwrap_err().to_string().contains("shop, shop2"));
}
