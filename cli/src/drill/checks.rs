//! What a drill found true or not.

use serde::Serialize;

use crate::output;

/// One thing that must hold.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What.
    pub name: String,
    /// Whether it does.
    pub ok: bool,
    /// In numbers.
    pub detail: String,
}

/// All of them, in the order of the drill.
#[derive(Debug, Default, Clone, Serialize)]
#[serde(transparent)]
pub struct Checks(Vec<Check>);

impl Checks {
    /// Writes down whether something holds, and says at once when it does not.
    pub fn add(&mut self, name: &str, ok: bool, detail: impl Into<String>) {
        let check = Check { name: name.to_owned(), ok, detail: detail.into() };
        if !ok {
            output::note(&format!("  does not hold: {name}: {}", check.detail));
        }
        self.0.push(check);
    }

    /// Whether all hold.
    pub fn hold(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|check| check.ok)
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &Check> {
        self.0.iter()
    }
}
