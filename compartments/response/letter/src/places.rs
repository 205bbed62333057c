//! The rules of one jurisdiction for letters to its people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::files::{PLACES, TextsError};

/// The language and the place of a letter. Both are parts of a version's JSON.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Locale {
    /// A language that letters are written in.
    pub language: String,
    /// The jurisdiction whose law shapes the letter, as `US-MA`; empty if none does.
    pub jurisdiction: String,
}

/// The rules for letters to one jurisdiction. By default, a letter says the same as everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a passage that is in or out")]
pub struct Place {
    /// The language of letters there, whatever the customer chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The authority that readers can turn to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency: Option<String>,
    /// The letter must state neither the nature of the breach nor the number of people.
    pub withhold_nature: bool,
    /// The letter states the number of people.
    pub count: bool,
    /// The letter states the right to a police report.
    pub police_report: bool,
    /// The letter names the credit bureaus, the FTC, fraud alert and security freeze.
    pub united_states: bool,
    /// The letter names the data protection authority.
    pub european: bool,
    /// The letter names the privacy commissioners.
    pub canada: bool,
    /// The letter names the ANPD.
    pub brazil: bool,
}

/// The rules of a jurisdiction: those of its country, overridden by its own.
pub fn place(
    places: &BTreeMap<String, toml::Table>,
    jurisdiction: &str,
) -> Result<Place, TextsError> {
    let country = jurisdiction.split('-').next().unwrap_or_default();
    let mut merged = places.get(country).cloned().unwrap_or_default();
    if country != jurisdiction {
        merged.extend(places.get(jurisdiction).cloned().unwrap_or_default());
    }
    merged.try_into().map_err(|e: toml::de::Error| TextsError::Malformed {
        path: format!("{PLACES}, {jurisdiction}"),
        cause: e.to_string(),
    })
}
