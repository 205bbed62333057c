//! The crates of the workspace and their dependencies, as cargo resolves them.

use std::collections::BTreeMap;
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use super::rooms::Room;

/// Crates that do I/O. Rules depend on none of them.
const INPUT_AND_OUTPUT: [&str; 5] = ["axum", "hyper", "hyper-util", "reqwest", "sqlx"];

/// The crates by package name.
pub struct Graph(BTreeMap<String, Crate>);

/// A crate and its normal and build dependencies.
pub struct Crate {
    /// The directory of the manifest, from the root of the repository.
    pub directory: String,
    /// The crate's place in the design.
    pub room: Option<Room>,
    /// Crates of the workspace, by package name.
    ours: Vec<String>,
    /// Crates of others, by package name.
    others: Vec<String>,
}

impl Graph {
    /// Asks cargo for the dependencies.
    pub fn read(root: &Path) -> Result<Self, String> {
        let metadata = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .exec()
            .map_err(|e| format!("cargo metadata: {e}"))?;
        let packages = metadata.workspace_packages();
        let crates = packages.into_iter().map(|package| {
            let directory = directory(&metadata, package);
            let room = Room::of(&directory);
            let (ours, others) = dependencies(package);
            (package.name.to_string(), Crate { directory, room, ours, others })
        });
        Ok(Self(crates.collect()))
    }

    /// The crates by package name.
    pub fn crates(&self) -> impl Iterator<Item = &Crate> {
        self.0.values()
    }

    /// Dependencies that a wall forbids, and crates without a place in the design.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, of) in &self.0 {
            let Some(room) = &of.room else {
                faults.push(format!("{name}: the walls know no place for {}", of.directory));
                continue;
            };
            let allowed = |on: &String| {
                let other = self.0.get(on).and_then(|of| of.room.as_ref());
                other.is_some_and(|other| room.may_use(other))
            };
            for on in of.ours.iter().filter(|on| !allowed(on)) {
                faults.push(format!("{name} depends on {on}: {}", room.wall()));
            }
            let reaches_out = |on: &&String| INPUT_AND_OUTPUT.contains(&on.as_str());
            for on in of.others.iter().filter(reaches_out).filter(|_| room.is_rules()) {
                faults.push(format!("{name} depends on {on}: {}", room.wall()));
            }
        }
        faults
    }

    /// The text of the golden file: one line for each crate.
    pub fn render(&self) -> String {
        let line = |(name, of): (&String, &Crate)| format!("{name} -> {}\n", of.ours.join(", "));
        self.0.iter().map(line).collect()
    }
}

fn directory(metadata: &Metadata, package: &Package) -> String {
    let manifest = &package.manifest_path;
    let inside = manifest.strip_prefix(&metadata.workspace_root).unwrap_or(manifest);
    inside.parent().map(ToString::to_string).unwrap_or_default()
}

/// The names of our crates and of other crates that a package depends on, each in order.
fn dependencies(package: &Package) -> (Vec<String>, Vec<String>) {
    let used = package.dependencies.iter().filter(|of| of.kind != DependencyKind::Development);
    let (ours, others): (Vec<_>, Vec<_>) = used.partition(|of| of.path.is_some());
    let names = |all: Vec<&cargo_metadata::Dependency>| {
        let mut names: Vec<_> = all.into_iter().map(|of| of.name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    (names(ours), names(others))
}
