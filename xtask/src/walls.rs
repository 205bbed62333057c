//! The walls between the crates, checked against what cargo really resolves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Ours on ours, by normal and build dependencies.
type Graph = BTreeMap<String, BTreeSet<String>>;

const GOLDEN: &str = "xtask/walls.txt";

/// Checks the graph of normal dependencies against the walls, and that the golden file shows it.
pub fn check(root: &Path, bless: bool) -> Result<(), Vec<String>> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .exec()
        .map_err(|e| vec![format!("cargo metadata: {e}")])?;
    let graph = ours(&metadata);
    let mut faults: Vec<_> = graph.iter().flat_map(|(who, on)| breaches(who, on)).collect();
    faults.extend(derivers(&metadata));
    let (path, now) = (root.join(GOLDEN), render(&graph));
    if bless {
        fs::write(&path, &now).map_err(|e| vec![format!("{}: {e}", path.display())])?;
    } else if fs::read_to_string(&path).unwrap_or_default() != now {
        faults.push(format!(
            "{GOLDEN} does not show the dependencies as they are; look at the difference and run: \
             cargo xtask walls --bless"
        ));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn ours(metadata: &Metadata) -> Graph {
    let members: BTreeSet<_> =
        metadata.workspace_packages().iter().map(|p| p.name.to_string()).collect();
    metadata
        .workspace_packages()
        .iter()
        .map(|package| {
            let on = package
                .dependencies
                .iter()
                .filter(|d| d.kind != DependencyKind::Development && members.contains(&d.name))
                .map(|d| d.name.clone());
            (package.name.to_string(), on.collect())
        })
        .collect()
}

/// What `who` depends on though a wall stands between.
fn breaches(who: &str, on: &BTreeSet<String>) -> Vec<String> {
    let wall = |reason: &'static str, allowed: &dyn Fn(&str) -> bool| {
        on.iter()
            .filter(|dep| !allowed(dep))
            .map(|dep| format!("{who} depends on {dep}: {reason}"))
            .collect::<Vec<_>>()
    };
    let library = |dep: &str| dep.starts_with("cofferdam-");
    if who == "cofferdam-core" {
        wall("core depends on nothing of ours", &|_| false)
    } else if who == "keys-client" {
        wall("the client of keys depends on core, wire and the api of keys", &|dep| {
            ["cofferdam-core", "cofferdam-wire", "keys-api"].contains(&dep)
        })
    } else if library(who) || who.ends_with("-api") {
        let index = |dep: &str| who == "cofferdam-tlog" && dep == "cofferdam-index";
        wall("lib/* and */api depend on core only", &|dep| dep == "cofferdam-core" || index(dep))
    } else if let Some(compartment) = who.strip_suffix("-server") {
        let apis = called_by(compartment);
        wall("a server uses lib/*, its own api and the apis that it calls", &|dep| {
            library(dep) || apis.contains(&dep)
        })
    } else if who == "console" {
        wall("the console reaches response only", &|dep| library(dep) || dep == "response-api")
    } else if who == "testkit" {
        wall("the test kit knows no server", &|dep| library(dep) || dep.ends_with("-api"))
    } else {
        // `cofferdam` starts them all; `xtask` and the tests are not part of the product.
        Vec::new()
    }
}

/// The apis that a compartment's server may speak: its own, and those it calls.
fn called_by(compartment: &str) -> &'static [&'static str] {
    match compartment {
        "keys" => &["keys-api"],
        "accounts" => &["accounts-api", "keys-api", "keys-client"],
        "payments" => &["payments-api", "keys-api", "keys-client"],
        "response" => &["response-api", "keys-api", "keys-client", "accounts-api", "payments-api"],
        _ => &[],
    }
}

/// Nothing but `keys-server` may derive keys: no other file of ours names HKDF.
fn derivers(metadata: &Metadata) -> Vec<String> {
    metadata
        .workspace_packages()
        .iter()
        // The bench measures what the hash can do at best; it derives nothing that is used.
        .filter(|package| !["keys-server", "xtask", "bench-keys"].contains(&package.name.as_str()))
        .filter_map(|package| package.manifest_path.parent())
        .flat_map(|dir| rust_files(&dir.join("src").into_std_path_buf()))
        .filter(|file| fs::read_to_string(file).is_ok_and(|text| text.contains("hkdf")))
        .map(|file| format!("{} names hkdf: only keys-server derives keys", file.display()))
        .collect()
}

fn rust_files(dir: &Path) -> Vec<std::path::PathBuf> {
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

fn render(graph: &Graph) -> String {
    let line = |(who, on): (&String, &BTreeSet<String>)| {
        let on: Vec<_> = on.iter().map(String::as_str).collect();
        format!("{who} -> {}\n", on.join(", "))
    };
    graph.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::breaches;

    fn broken(who: &str, on: &str) -> bool {
        !breaches(who, &[on.to_owned()].into()).is_empty()
    }

    #[test]
    fn every_wall_stands() {
        for (who, on) in [
            ("cofferdam-core", "keys-api"),
            ("cofferdam-wire", "cofferdam-store"),
            ("keys-api", "cofferdam-wire"),
            ("accounts-server", "keys-server"),
            ("accounts-server", "payments-api"),
            ("payments-server", "accounts-api"),
            ("keys-server", "accounts-api"),
            ("console", "keys-api"),
            ("testkit", "keys-server"),
        ] {
            assert!(broken(who, on), "{who} may depend on {on}");
        }
        for (who, on) in [
            ("keys-api", "cofferdam-core"),
            ("accounts-server", "keys-api"),
            ("response-server", "payments-api"),
            ("cofferdam", "keys-server"),
        ] {
            assert!(!broken(who, on), "{who} may not depend on {on}");
        }
    }
}
