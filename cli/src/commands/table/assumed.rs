//! The assumptions of an import, in words.

use std::collections::BTreeMap;

use cofferdam_foreign::table::{Assumed, Encoding, KeyForm, PlaceForm};
use staff::import::TableSummary;

use crate::words;

/// The lines that say what was assumed.
pub fn lines(summary: &TableSummary) -> Vec<String> {
    let assumed = &summary.assumed;
    let mut lines = Vec::from_iter(text(assumed));
    if !assumed.keys.is_empty() {
        lines.push(format!("keys: {}", counts(&assumed.keys, key_words)));
    }
    if assumed.null_markers > 0 {
        let cells = words::number(assumed.null_markers);
        lines.push(format!("\\N stands for no value, in {cells} cells"));
    }
    if assumed.default_language > 0 {
        let people = words::number(assumed.default_language);
        let language = &summary.default_language;
        lines.push(format!("language {language} for {people} people whose own is not understood"));
    }
    for (what, forms) in [("countries", &assumed.countries), ("regions", &assumed.regions)] {
        if !forms.is_empty() {
            lines.push(format!("{what}: {}", counts(forms, place_words)));
        }
    }
    lines.into_iter().map(|line| format!("assumed   {line}")).collect()
}

/// The encoding and the delimiter of text.
fn text(assumed: &Assumed) -> Option<String> {
    let encodings = assumed.encodings.iter().copied().map(encoding_words);
    let delimiters: Vec<_> = assumed.delimiters.iter().copied().map(delimiter_words).collect();
    let mut parts: Vec<_> = encodings.map(str::to_owned).collect();
    if !delimiters.is_empty() {
        parts.push(format!("cells end at {}", delimiters.join(" or ")));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

const fn encoding_words(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => "UTF-8",
        Encoding::Utf16Le => "UTF-16, little-endian",
        Encoding::Utf16Be => "UTF-16, big-endian",
        Encoding::Windows1252 => "Windows-1252, because it is not UTF-8",
    }
}

fn delimiter_words(delimiter: char) -> String {
    match delimiter {
        '\t' => "tabs".to_owned(),
        other => format!("\"{other}\""),
    }
}

const fn key_words(form: KeyForm) -> &'static str {
    match form {
        KeyForm::WholeNumber => "whole numbers",
        KeyForm::WithDecimals => "numbers without their decimals",
        KeyForm::WithApostrophe => "numbers without their apostrophe",
        KeyForm::Text => "texts",
    }
}

const fn place_words(form: PlaceForm) -> &'static str {
    match form {
        PlaceForm::Alpha2 => "as two letters",
        PlaceForm::Alpha3 => "as three letters",
        PlaceForm::Numeric => {
            "as three digits of ISO 3166-1 (if they are your own numbers, leave them out)"
        }
        PlaceForm::Subdivision => "as a code of ISO 3166-2",
        PlaceForm::Name => "by name",
        PlaceForm::Unknown => "not understood, so unknown",
    }
}

/// Counts by form, as `20 whole numbers, 1 text`.
fn counts<F: Copy>(forms: &BTreeMap<F, u64>, word: fn(F) -> &'static str) -> String {
    let counts = forms.iter().map(|(form, n)| format!("{} {}", words::number(*n), word(*form)));
    counts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_assumed_is_said() {
        let assumed = Assumed {
            encodings: [Encoding::Windows1252].into(),
            delimiters: ['\t'].into(),
            null_markers: 3,
            keys: [(KeyForm::WholeNumber, 2_000), (KeyForm::WithDecimals, 1)].into(),
            default_language: 5,
            countries: [(PlaceForm::Name, 4), (PlaceForm::Unknown, 1)].into(),
            regions: BTreeMap::new(),
        };
        let summary = TableSummary {
            created: 2_001,
            updated: 0,
            rejected: 0,
            rejects: "r.csv".into(),
            assumed,
            default_language: "de".parse().unwrap(),
            table: response_api::TableCounts {
                people: 2_001,
                jurisdictions: BTreeMap::new(),
                not_taken: BTreeMap::new(),
                unfinished: std::collections::BTreeSet::new(),
            },
            seconds: 0.1,
        };
        assert_eq!(
            lines(&summary),
            [
                "assumed   Windows-1252, because it is not UTF-8; cells end at tabs",
                "assumed   keys: 2,000 whole numbers, 1 numbers without their decimals",
                "assumed   \\N stands for no value, in 3 cells",
                "assumed   language de for 5 people whose own is not understood",
                "assumed   countries: 4 by name, 1 not understood, so unknown",
            ]
        );
    }
}
