//! The JSON result of each command that takes `--json`, as a schema (JSON Schema 2020-12).

use std::path::PathBuf;

use drill::DrillReport;
use keys_api::{ApproverKey, CallerStatus, Policy};
use response_api as api;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use staff::evidence::Exported;
use staff::import::{ImportSummary, PlannedLog, TableSummary};
use staff::paper_post::ListCounts;

use crate::commands::order::ShownOrder;
use crate::commands::{
    access_log, budget, callers, dkim_key, evidence, halves, incident, keys, letters, log, restore,
    unseal, up,
};

macro_rules! results {
    ($($command:literal => $result:ty,)*) => {
        /// The commands that take `--json`.
        #[cfg(test)]
        pub const COMMANDS: &[&str] = &[$($command,)*];

        fn results(generator: &mut SchemaGenerator) -> Map<String, Value> {
            let mut all = Map::new();
            $(all.insert($command.to_owned(), generator.subschema_for::<$result>().into());)*
            all
        }
    };
}

results! {
    "access-log add" => Vec<api::AccessLog>,
    "access-log catalogue" => access_log::Written,
    "access-log list" => Vec<api::AccessLog>,
    "access-log mapping" => PathBuf,
    "access-log plan" => Vec<PlannedLog>,
    "access-log remove" => String,
    "accounts init" => halves::Halves,
    "accounts restore" => restore::Restored,
    "accounts unseal" => unseal::Unsealing,
    "alarm list" => Vec<api::Alarm>,
    "approver add" => ApproverKey,
    "approver list" => Vec<ApproverKey>,
    "budget list" => Vec<CallerStatus>,
    "budget lower" => budget::BudgetState,
    "budget restore" => budget::BudgetState,
    "budget suggest" => budget::Suggestion,
    "callers renew" => callers::Revoked,
    "callers revoke" => callers::Revoked,
    "customers add" => ImportSummary,
    "dkim-key add" => dkim_key::DnsRecord,
    "drill" => DrillReport,
    "epoch list" => Vec<api::DomainState>,
    "evidence export" => Exported,
    "evidence verify" => evidence::Verdict,
    "incident amend" => api::Incident,
    "incident close" => api::Incident,
    "incident declare" => api::Incident,
    "incident freeze" => incident::CallerState,
    "incident journal" => Vec<api::JournalEntry>,
    "incident list" => Vec<api::Incident>,
    "incident notice" => api::Notice,
    "incident person" => api::PersonExposure,
    "incident report" => api::Report,
    "incident scope" => api::Exposure,
    "incident show" => incident::Shown,
    "incident thaw" => incident::CallerState,
    "incident void" => api::Voided,
    "keys init" => keys::Initialised,
    "keys unseal" => unseal::Unsealing,
    "letters ledger" => Vec<api::LedgerRow>,
    "letters list" => Vec<api::LetterStatus>,
    "letters pause" => api::LetterStatus,
    "letters plan" => api::LetterPlan,
    "letters preview" => api::LetterDraft,
    "letters resume" => api::LetterStatus,
    "letters returned decide" => api::LetterStatus,
    "letters returned list" => Vec<api::ReturnedMail>,
    "letters returned read" => letters::ReadMail,
    "letters returned show" => api::ReturnedText,
    "letters settle" => api::Settled,
    "letters show" => api::LetterStatus,
    "letters start" => api::LetterStatus,
    "letters stop" => api::LetterStatus,
    "letters test" => letters::TestSent,
    "log export" => log::ExportedLog,
    "log verify" => log::VerifiedLog,
    "order apply" => api::AppliedOrder,
    "order draft letter" => ShownOrder,
    "order draft paper-post" => ShownOrder,
    "order draft policy" => ShownOrder,
    "order draft retire" => ShownOrder,
    "order draft rotate" => ShownOrder,
    "order draft void" => ShownOrder,
    "order show" => ShownOrder,
    "order sign" => ShownOrder,
    "paper-post export" => ListCounts,
    "payments init" => halves::Halves,
    "payments restore" => restore::Restored,
    "payments unseal" => unseal::Unsealing,
    "policy show" => Policy,
    "response init" => halves::Halves,
    "response restore" => restore::Restored,
    "response unseal" => unseal::Unsealing,
    "table add" => TableSummary,
    "table list" => api::TableCounts,
    "up" => up::Listening,
}

/// The document with every result: `properties` names a command, and its schema is the result's.
pub fn schemas() -> Result<String, serde_json::Error> {
    let mut generator = SchemaGenerator::default();
    let results = results(&mut generator);
    let document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The results that commands print with --json",
        "type": "object",
        "properties": results,
        "$defs": generator.take_definitions(true),
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}
