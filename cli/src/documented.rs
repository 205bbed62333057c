//! Compares the documentation with the commands: every command in the docs, the messages and the
//! advice must exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};

use crate::Cli;
use crate::commands::manual::{COMMANDS, schemas};

/// The file in the repository with the schemas of all results.
const SCHEMAS: &str = "docs/results.schema.json";

#[test]
fn each_command_with_json_has_a_schema() {
    let mut with_json = BTreeSet::new();
    leaves(&Cli::command(), &mut Vec::new(), &mut |path, command| {
        if command.get_arguments().any(|arg| arg.get_long() == Some("json")) {
            with_json.insert(path.join(" "));
        }
    });
    let named: BTreeSet<String> = COMMANDS.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(with_json, named);
}

#[test]
fn each_command_that_ends_with_a_result_prints_json() {
    // Servers have no result, the mail server runs one command, and one command writes files.
    let without = ["serve", "mail", "manual"];
    leaves(&Cli::command(), &mut Vec::new(), &mut |path, command| {
        let json = command.get_arguments().any(|arg| arg.get_long() == Some("json"));
        assert!(json || without.contains(&command.get_name()), "{}", path.join(" "));
    });
}

#[test]
fn the_schemas_in_the_docs_are_those_of_the_commands() {
    let path = root().join(SCHEMAS);
    let now = schemas().unwrap();
    if std::env::var_os("COFFERDAM_BLESS").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == now, "{SCHEMAS} is old: run this test with COFFERDAM_BLESS=1");
}

#[test]
fn the_docs_and_messages_name_commands_that_exist() {
    let mut faults = Vec::new();
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        for (line, words) in named_commands(&text) {
            if let Err(fault) = check(&words) {
                let place = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
                faults.push(format!("{place}:{line}: {}: {fault}", words.join(" ")));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The documents, and the sources with advice. CHANGELOG and the decisions name old commands.
fn sources() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"]
        .map(|f| root().join(f))
        .into();
    let mut dirs = vec![root().join("docs"), root().join("cli/src"), root().join("staff/src")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("docs/decisions") {
                dirs.push(path);
            } else if path.extension().is_some_and(|end| end == "md" || end == "rs") {
                all.push(path);
            }
        }
    }
    all
}

/// The words of each command that begins with `cofferdam`, with its line, without that first word.
/// A line that ends in a backslash continues.
fn named_commands(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        for (place, _) in line.match_indices("cofferdam ") {
            let before = line[..place].chars().last();
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.')) {
                continue;
            }
            let mut rest = line[place + "cofferdam ".len()..].to_owned();
            let mut next = number + 1;
            while rest.ends_with('\\') && next < lines.len() {
                rest.pop();
                rest.push(' ');
                rest.push_str(lines[next].trim_start());
                next += 1;
            }
            let end = rest.find(['`', '"', ';', '#', '|', '…']).unwrap_or(rest.len());
            let words = rest[..end].split_whitespace().map(str::to_owned).collect();
            found.push((number + 1, words));
        }
    }
    found
}

/// Checks that the words begin with a command, and that its options exist.
fn check(words: &[String]) -> Result<(), String> {
    let mut command = Cli::command();
    command.build();
    let mut rest = words;
    while let Some((word, more)) = rest.split_first() {
        let word = word.trim_end_matches([',', '.', ':', ')']);
        let Some(inner) = command.find_subcommand(word).cloned() else { break };
        command = inner;
        rest = more;
    }
    let typed =
        words.first().is_some_and(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
    if command.has_subcommands() {
        // A noun alone, or a sentence with the name of the program in it.
        let alone = rest.first().is_none_or(|word| word.starts_with("--help"));
        let a_noun = alone && command.get_name() != "cofferdam";
        return if a_noun || !typed { Ok(()) } else { Err("no such command".to_owned()) };
    }
    for word in rest.iter().filter_map(|word| word.trim_start_matches('[').strip_prefix("--")) {
        let name: String =
            word.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        let known = command.get_arguments().any(|arg| arg.get_long() == Some(name.as_str()));
        if !(known || name.is_empty() || name == "help") {
            return Err(format!("no option --{name}"));
        }
    }
    Ok(())
}

fn leaves(command: &Command, path: &mut Vec<String>, found: &mut dyn FnMut(&[String], &Command)) {
    if !command.has_subcommands() {
        found(path, command);
        return;
    }
    for inner in command.get_subcommands() {
        path.push(inner.get_name().to_owned());
        leaves(inner, path, found);
        path.pop();
    }
}
