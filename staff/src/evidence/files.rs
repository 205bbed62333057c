//! The files of a bag, below `data/`.

use serde::{Deserialize, Serialize};

pub const INCIDENT: &str = "incident.json";
pub const EXPOSURE: &str = "exposure.json";
pub const PEOPLE: &str = "people.json";
pub const TABLE: &str = "exposure.csv";
pub const JOURNAL: &str = "journal.jsonl";
pub const ALARMS: &str = "alarms.json";
pub const KEYS: &str = "keys.json";
pub const NOTICE: &str = "notice.html";
pub const REPORT: &str = "report.html";
pub const LETTERS: &str = "letters.json";
pub const POLICY: &str = "configuration/policy.json";
pub const CALLERS: &str = "configuration/callers.json";
pub const EPOCHS: &str = "configuration/epochs.json";

/// The path of the checkpoint that the proofs of a log lead to.
pub fn checkpoint(log: usize) -> String {
    format!("log/{log}/checkpoint")
}

/// The path of the last checkpoint of a log that the witness signed: the same one or an earlier
/// one.
pub fn cosigned(log: usize) -> String {
    format!("log/{log}/cosigned")
}

/// The path of the entries of a log with their proofs, as [`EntryLine`]s.
pub fn entries(log: usize) -> String {
    format!("log/{log}/entries.jsonl")
}

/// The path of the anchors of the journal in a log with their proofs, as [`EntryLine`]s.
pub fn anchors(log: usize) -> String {
    format!("log/{log}/anchors.jsonl")
}

/// The path of the checkpoint that the proofs of the anchors lead to. It is later than the
/// exposure's, because staff act after a scope.
pub fn anchors_checkpoint(log: usize) -> String {
    format!("log/{log}/anchors-checkpoint")
}

/// The path of a bitmap (Roaring) of the people exposed in a field at a level.
pub fn bitmap(level: &str, field: &str) -> String {
    format!("exposure/{level}-{field}.roaring")
}

/// The path of the ledger of a letter.
pub fn ledger(letter: u32) -> String {
    format!("letters/ledger-{letter}.csv")
}

/// An entry of a log, with its proof.
#[derive(Debug, Serialize, Deserialize)]
pub struct EntryLine {
    /// The index of the entry in the log, from 0.
    pub index: u64,
    /// The entry's bytes, base64.
    pub entry: String,
    /// The inclusion proof: base64 hashes from the leaf's sibling up.
    pub proof: Vec<String>,
}
