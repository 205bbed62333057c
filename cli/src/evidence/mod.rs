//! `cofferdam evidence …`: one sealed bag that proves what was read, known, decided and sent, and
//! verifies offline.

mod checks;
pub mod export;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;

use crate::CommandError;

/// `cofferdam evidence`
#[derive(Debug, Subcommand)]
pub enum EvidenceCommand {
    /// Write the evidence of an incident as a sealed bag (`BagIt`, RFC 8493)
    Export(export::ExportArgs),
    /// Verify a bag, offline, with nothing but the bag and the key that sealed it
    Verify(verify::VerifyArgs),
}

/// Runs one of the commands.
pub async fn run(command: EvidenceCommand) -> Result<ExitCode, CommandError> {
    match command {
        EvidenceCommand::Export(args) => export::run(args).await,
        EvidenceCommand::Verify(args) => verify::run(&args),
    }
}

/// The files of a bag, below `data/`.
mod names {
    pub const INCIDENT: &str = "incident.json";
    pub const EXPOSURE: &str = "exposure.json";
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

    /// The checkpoint that proofs of a log lead to.
    pub fn checkpoint(log: usize) -> String {
        format!("log/{log}/checkpoint")
    }

    /// The same with the witness's signature, or an earlier one.
    pub fn cosigned(log: usize) -> String {
        format!("log/{log}/cosigned")
    }

    /// Entries with their proofs.
    pub fn entries(log: usize) -> String {
        format!("log/{log}/entries.jsonl")
    }

    /// Who is exposed in a field, at a level: a Roaring bitmap.
    pub fn bitmap(level: &str, field: &str) -> String {
        format!("exposure/{level}-{field}.roaring")
    }

    /// The ledger of a letter.
    pub fn ledger(letter: u32) -> String {
        format!("letters/ledger-{letter}.csv")
    }
}

/// An entry of a log in a bag, one a line.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct EntryLine {
    /// Its index in the log.
    index: u64,
    /// Its bytes, base64.
    entry: String,
    /// The inclusion proof, base64 hashes from the leaf's sibling up.
    proof: Vec<String>,
}
