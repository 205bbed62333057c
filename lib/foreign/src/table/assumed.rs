//! The assumptions under which a table was read. The importer shows them, because a wrong one
//! changes who is counted where.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::places::PlaceForm;
use super::text::Encoding;

/// The assumptions under which the rows of a table were read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Assumed {
    /// The encodings of the files. None for Parquet and databases, which tell it themselves.
    pub encodings: BTreeSet<Encoding>,
    /// The delimiters of cells, in CSV.
    pub delimiters: BTreeSet<char>,
    /// The number of cells with `\N`, which counts as an empty cell.
    pub null_markers: u64,
    /// The number of keys in each form.
    pub keys: BTreeMap<KeyForm, u64>,
    /// The number of people without a language that is understood. They get the default language.
    pub default_language: u64,
    /// The number of countries in each form. Empty cells are not counted.
    pub countries: BTreeMap<PlaceForm, u64>,
    /// The number of regions in each form. Empty cells are not counted.
    pub regions: BTreeMap<PlaceForm, u64>,
}

/// The form of a key as it stands in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyForm {
    /// A whole number in digits alone.
    WholeNumber,
    /// A whole number with decimals that are 0. The key is the whole number.
    WithDecimals,
    /// Digits behind an apostrophe, as spreadsheets write them. The key is the digits.
    WithApostrophe,
    /// Any other text, such as a UUID.
    Text,
}

impl Assumed {
    /// Adds the assumptions about another file of the same table.
    pub(super) fn add(&mut self, other: Self) {
        self.encodings.extend(other.encodings);
        self.delimiters.extend(other.delimiters);
        self.null_markers += other.null_markers;
        self.default_language += other.default_language;
        add_counts(&mut self.keys, other.keys);
        add_counts(&mut self.countries, other.countries);
        add_counts(&mut self.regions, other.regions);
    }
}

fn add_counts<F: Ord>(to: &mut BTreeMap<F, u64>, counts: BTreeMap<F, u64>) {
    for (form, count) in counts {
        *to.entry(form).or_default() += count;
    }
}
