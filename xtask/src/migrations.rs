//! Migrations: each server has the same files for SQLite and for PostgreSQL, numbered without
//! gaps.

use std::fs;
use std::path::Path;

/// Checks every server's migrations.
pub fn check(root: &Path) -> Result<(), Vec<String>> {
    let mut faults = Vec::new();
    for compartment in ["keys", "accounts", "payments", "response"] {
        let dir = root.join("compartments").join(compartment).join("server/migrations");
        let (sqlite, postgres) = (names(&dir.join("sqlite")), names(&dir.join("postgres")));
        if sqlite != postgres {
            faults.push(format!("{compartment}: sqlite has {sqlite:?}, postgres {postgres:?}"));
        }
        for (number, name) in (1..).zip(&sqlite) {
            if !name.starts_with(&format!("{number:04}_")) {
                faults.push(format!("{compartment}: {name} should be number {number:04}"));
            }
        }
        if sqlite.is_empty() {
            faults.push(format!("{compartment}: no migrations in {}", dir.display()));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}
