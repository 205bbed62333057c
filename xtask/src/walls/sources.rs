//! Walls that only the sources show: the place where keys are derived, and the crates that do I/O.

use std::fs;
use std::path::{Path, PathBuf};

use super::graph::{Crate, Graph};
use super::rooms::Room;

/// Modules with which rules would do I/O.
const INPUT_AND_OUTPUT: [(&str, &str); 4] =
    [("std", "fs"), ("std", "net"), ("tokio", "fs"), ("tokio", "net")];

/// Lines of the sources that break a wall.
pub fn faults(root: &Path, graph: &Graph) -> Vec<String> {
    graph.crates().flat_map(|of| crate_faults(root, of)).collect()
}

fn crate_faults(root: &Path, of: &Crate) -> Vec<String> {
    let Some(room) = &of.room else { return Vec::new() };
    let mut faults = Vec::new();
    for file in rust_files(&root.join(&of.directory).join("src")) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        if !may_derive_keys(room) && text.contains("hkdf") {
            let file = file.display();
            faults
                .push(format!("{file} names hkdf: keys-server derives keys, keys-client combines"));
        }
        for (root, module) in INPUT_AND_OUTPUT.into_iter().filter(|_| room.is_rules()) {
            if names_module(&text, root, module) {
                faults.push(format!("{} names {root}::{module}: rules do no I/O", file.display()));
            }
        }
    }
    faults
}

/// The server of `keys` derives keys, and its client combines them with a compartment's half. The bench
/// of `keys` measures the best rate of the hash, and derives nothing that is used. The check itself
/// names the word.
fn may_derive_keys(room: &Room) -> bool {
    let keys = |name: &String| name == "keys";
    matches!(room, Room::Xtask | Room::KeysClient)
        || matches!(room, Room::Server(of) | Room::Bench(of) if keys(of))
}

/// Whether code names a module of a crate, as a path (`std::fs::read`) or in a group of a `use`
/// (`use std::{fs, io}`). Comments don't count.
fn names_module(text: &str, root: &str, module: &str) -> bool {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = code.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
    let path = format!("{root}::");
    code.match_indices(&path).any(|(at, _)| {
        let rest = &code[at + path.len()..];
        match rest.strip_prefix('{') {
            Some(group) => members(group).any(|member| begins_with(member, module)),
            None => begins_with(rest, module),
        }
    })
}

/// The members of a group of a `use`, up to the brace that closes it.
fn members(group: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut starts, mut end) = (0, vec![0], group.len());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                end = at;
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => starts.push(at + 1),
            _ => {}
        }
    }
    starts.into_iter().map(move |start| &group[start.min(end)..end])
}

/// Whether a path begins with a module, and not with a longer name.
fn begins_with(path: &str, module: &str) -> bool {
    path.strip_prefix(module)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files = Vec::new();
    for path in entries {
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::names_module;

    #[test]
    fn a_module_is_found_however_it_is_named() {
        for text in [
            "use std::fs;",
            "use std::fs::{self, File};",
            "use std::{fs, io};",
            "use std::{\n    io::{self, Read},\n    fs,\n};",
            "let text = std::fs::read_to_string(path);",
            "use ::std::fs;",
        ] {
            assert!(names_module(text, "std", "fs"), "{text}");
        }
    }

    #[test]
    fn other_modules_and_comments_are_none() {
        for text in [
            "use std::fmt;",
            "use std::{fmt, io::{self, fs}};",
            "use std::fs_extra;",
            "// use std::fs;",
            "    /// `std::fs` is not used here.",
            "use tokio::fs;",
            "use std::{io}; mod fs;",
        ] {
            assert!(!names_module(text, "std", "fs"), "{text}");
        }
    }
}
