//! The import of customers from an older shop.

use cofferdam_core::{Call, CustomerNumber, KeyBytes, Personal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Profile;

/// The most rows in one call.
pub const MAX_IMPORT: usize = 1_000;

/// Imports customers. All rows of a call are stored, or none if it fails. A line of the source that
/// was imported before stays unchanged, so a call can be repeated. For importers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportCustomers {
    /// A digest of the file, by which a second run of the same file resumes.
    #[schemars(extend("examples" = ["sha256:5feceb66ffc86f38d952786c6d696c79"]))]
    pub source: String,
    /// The rows, 1 to [`MAX_IMPORT`], ascending by line.
    pub rows: Vec<ImportRow>,
}

/// One customer to import.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRow {
    /// The line in the file, from 1.
    pub line: u64,
    /// The data that the customer gave the older shop.
    pub profile: Profile,
    /// The legacy password hash.
    pub credential: LegacyCredential,
}

/// A password as an older shop kept it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LegacyCredential {
    /// The way in which it was hashed.
    pub scheme: LegacyScheme,
    /// The salt, as text.
    #[schemars(extend("examples" = ["c0ffee42"]))]
    pub salt: Personal,
    /// SHA-256 over the legacy hash's bytes: the input of *harden*.
    pub digest: KeyBytes,
}

/// The password hashes of older shops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LegacyScheme {
    /// `SHA-1(salt ‖ password)`, as usual in 2012.
    SaltedSha1,
    /// `SHA-256(salt ‖ password)`.
    SaltedSha256,
}

/// The outcome of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportOutcome {
    /// The line in the file.
    pub line: u64,
    /// The customer's number, or the reason why there is none.
    pub result: ImportResult,
}

/// The result for one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportResult {
    /// The row became a new customer.
    Created(CustomerNumber),
    /// This line of this file was imported before, as this customer.
    AlreadyThere(CustomerNumber),
    /// The row was refused, for a reason without personal data.
    Rejected(String),
}

impl Call for ImportCustomers {
    const PATH: &'static str = "/v1/customers/import";
    const COMPACT: bool = true;
    /// One outcome for each row, in the order of the rows.
    type Answer = Vec<ImportOutcome>;
}

/// Reads the progress of an import. For importers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadImport {
    /// The digest of the file.
    #[schemars(extend("examples" = ["sha256:5feceb66ffc86f38d952786c6d696c79"]))]
    pub source: String,
}

/// The progress of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportState {
    /// The last line such that every line up to it has its outcome; 0 before the first.
    pub done_to_line: u64,
    /// The number of customers made from this file.
    pub created: u64,
}

impl Call for ReadImport {
    const PATH: &'static str = "/v1/imports/read";
    type Answer = ImportState;
}
