//! Reads one row of a table. An error names the column but never quotes the cell.

use cofferdam_core::Field;
use cofferdam_core::{BroughtPerson, Country, FieldSet, Language, Personal, Region};

use super::assumed::{Assumed, KeyForm};
use super::{TableMapping, places};

/// The text that `MySQL` and `COPY` write for a value that is not there.
const NO_VALUE: &str = "\\N";
/// The longest cell, in bytes.
const MAX_TEXT: usize = 500;
/// The longest key, in bytes.
const MAX_KEY: usize = 200;

/// A row can't be brought.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRow {
    /// The cell in this column, which holds the key, is empty.
    #[error("{0} is empty: accesses can't be matched to a customer without a key")]
    NoKey(String),
    /// The cell in this column, which holds the key, is an e-mail address.
    #[error("{0} is an e-mail address: keys are stored in clear, so map the key to another column")]
    PersonalKey(String),
    /// The cell in this column, which holds the key, is a number that was rounded.
    #[error("{0} is a rounded number: export the key as text or as a whole number")]
    RoundedKey(String),
    /// The cell in this column, which holds the key, has a line break, another control character,
    /// or a character that could not be decoded.
    #[error("{0} has a character that no key has")]
    BadKey(String),
    /// The cell in this column is longer than this number of bytes.
    #[error("{0} has more than {1} bytes")]
    TooLong(String, usize),
    /// The cell in this column does not have the named form.
    #[error("{0} is not {1}")]
    Form(String, &'static str),
    /// The row as a whole can't be parsed, for the reason in the text.
    #[error("{0}")]
    Shape(String),
}

/// Reads a row, and adds the assumptions about it. `cell` gives the text of a column, which is empty
/// if the row has no value there.
pub fn person(
    mapping: &TableMapping,
    cell: &dyn Fn(&str) -> String,
    assumed: &mut Assumed,
) -> Result<BroughtPerson, BadRow> {
    let mut row = Row { cell, null_markers: 0 };
    let (key, key_form) = key(mapping, &row.text(&mapping.key)?)?;
    let name = row.filled(&mapping.name)?.join(" ");
    if name.len() > MAX_TEXT {
        return Err(BadRow::TooLong(mapping.name.join(" and "), MAX_TEXT));
    }
    let email = row.given(mapping.email.as_ref())?;
    if let Some(column) = &mapping.email
        && !email.is_empty()
        && !email.contains('@')
    {
        return Err(BadRow::Form(column.clone(), "an e-mail address"));
    }
    let lines = row.filled(&mapping.address)?;
    let address = (!lines.is_empty()).then(|| Personal::new(lines.join("\n")));
    let mut filled = vec![
        (Field::Name, !name.is_empty()),
        (Field::Email, !email.is_empty()),
        (Field::ShippingAddress, address.is_some()),
    ];
    for (column, field) in &mapping.holds {
        filled.push((*field, row.is_filled(column)));
    }
    let holds: FieldSet =
        filled.into_iter().filter_map(|(field, filled)| filled.then_some(field)).collect();
    let minor = minor(mapping.minor.as_ref(), &row.given(mapping.minor.as_ref())?)?;
    let country = row.given(mapping.country.as_ref())?;
    let region = row.given(mapping.region.as_ref())?;
    let language = language(&row.given(mapping.language.as_ref())?);
    // The row is taken: only now do its assumptions count.
    assumed.null_markers += row.null_markers;
    *assumed.keys.entry(key_form).or_default() += 1;
    assumed.default_language += u64::from(language.is_none());
    let (country, region) = place(&country, &region, assumed);
    Ok(BroughtPerson {
        key,
        country,
        region,
        language: language.unwrap_or_else(|| mapping.default_language.clone()),
        minor,
        name: Personal::new(name),
        email: Personal::new(email),
        address,
        holds,
    })
}

/// The cells of a row, with a count of the markers for no value.
struct Row<'a> {
    cell: &'a dyn Fn(&str) -> String,
    null_markers: u64,
}

impl Row<'_> {
    fn text(&mut self, column: &str) -> Result<String, BadRow> {
        let text = self.value(column);
        if text.len() > MAX_TEXT {
            return Err(BadRow::TooLong(column.to_owned(), MAX_TEXT));
        }
        Ok(text)
    }

    /// The text of a column; empty if the mapping names none.
    fn given(&mut self, column: Option<&String>) -> Result<String, BadRow> {
        column.map_or_else(|| Ok(String::new()), |column| self.text(column))
    }

    /// The texts of the columns that are filled.
    fn filled(&mut self, columns: &[String]) -> Result<Vec<String>, BadRow> {
        let texts: Result<Vec<_>, _> = columns.iter().map(|column| self.text(column)).collect();
        Ok(texts?.into_iter().filter(|text| !text.is_empty()).collect())
    }

    /// Whether a cell has a value. No length is too much.
    fn is_filled(&mut self, column: &str) -> bool {
        !self.value(column).is_empty()
    }

    fn value(&mut self, column: &str) -> String {
        let text = (self.cell)(column);
        let value = text.trim();
        if value == NO_VALUE {
            self.null_markers += 1;
            return String::new();
        }
        value.to_owned()
    }
}

/// A key as the shop's database has it: without the apostrophe that spreadsheets put before
/// numbers, and without the decimals that floating-point columns give whole numbers.
fn key(mapping: &TableMapping, text: &str) -> Result<(String, KeyForm), BadRow> {
    let column = || mapping.key.clone();
    if text.is_empty() {
        return Err(BadRow::NoKey(column()));
    }
    if text.contains('@') {
        return Err(BadRow::PersonalKey(column()));
    }
    if text.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
        return Err(BadRow::BadKey(column()));
    }
    if text.len() > MAX_KEY {
        return Err(BadRow::TooLong(column(), MAX_KEY));
    }
    if is_rounded(text) {
        return Err(BadRow::RoundedKey(column()));
    }
    let (key, form) = if is_digits(text) {
        (text, KeyForm::WholeNumber)
    } else if let Some(digits) = text.strip_prefix('\'').filter(|rest| is_digits(rest)) {
        (digits, KeyForm::WithApostrophe)
    } else if let Some((whole, decimals)) = text.split_once('.')
        && is_digits(whole)
        && !decimals.is_empty()
        && decimals.bytes().all(|byte| byte == b'0')
    {
        (whole, KeyForm::WithDecimals)
    } else {
        (text, KeyForm::Text)
    };
    Ok((key.to_owned(), form))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a number lost its last digits in a floating-point column or a spreadsheet: several
/// customers may have been given the same one. `12e5` may be a code; programs write `1.2E+06` and
/// `1E+06`, some with a comma.
fn is_rounded(text: &str) -> bool {
    const FIRST_INEXACT: f64 = 9_007_199_254_740_992.0;
    let text = text.strip_prefix('-').unwrap_or(text);
    if let Some((mantissa, exponent)) = text.split_once(['e', 'E']) {
        let parts = mantissa.split_once(['.', ',']);
        let (whole, decimals) = parts.unwrap_or((mantissa, "0"));
        let is_number = parts.is_some() || exponent.starts_with('+');
        let exponent = exponent.trim_start_matches(['+', '-']);
        return is_number && is_digits(whole) && is_digits(decimals) && is_digits(exponent);
    }
    let whole = text.strip_suffix(".0").filter(|whole| is_digits(whole));
    whole.and_then(|whole| whole.parse::<f64>().ok()).is_some_and(|key| key >= FIRST_INEXACT)
}

/// Where a person lives. A place that is not understood is unknown; the person counts all the same.
fn place(country: &str, region: &str, assumed: &mut Assumed) -> (Option<Country>, Option<Region>) {
    let mut known = None;
    if !country.is_empty() {
        let (of, form) = places::country(country);
        *assumed.countries.entry(form).or_default() += 1;
        known = of;
    }
    if region.is_empty() {
        return (known, None);
    }
    // A region without its country is not looked for in all of them; only its full code tells.
    if known.is_none() && !country.is_empty() {
        *assumed.regions.entry(places::PlaceForm::Unknown).or_default() += 1;
        return (None, None);
    }
    let (place, form) = places::region(known.as_ref(), region);
    *assumed.regions.entry(form).or_default() += 1;
    place.map_or((known, None), |(country, region)| (Some(country), Some(region)))
}

/// The language of a text such as `de`, `de-AT` or `de_AT`.
fn language(text: &str) -> Option<Language> {
    text.split(['-', '_']).next().unwrap_or_default().to_lowercase().parse().ok()
}

fn minor(column: Option<&String>, text: &str) -> Result<bool, BadRow> {
    match text.to_lowercase().as_str() {
        "" | "false" | "f" | "0" | "no" | "n" => Ok(false),
        "true" | "t" | "1" | "yes" | "y" => Ok(true),
        _ => Err(BadRow::Form(column.cloned().unwrap_or_default(), "true or false")),
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_core::Field;

    use super::*;
    use crate::table::testing::mapping;

    /// Reads a row with the given cells, and nothing else.
    fn read(cells: &[(&str, &str)]) -> (Result<BroughtPerson, BadRow>, Assumed) {
        let mut assumed = Assumed::default();
        let cell = |column: &str| {
            let found = cells.iter().find(|(name, _)| *name == column);
            found.map(|(_, text)| (*text).to_owned()).unwrap_or_default()
        };
        let row = person(&mapping(), &cell, &mut assumed);
        (row, assumed)
    }

    #[test]
    fn an_error_names_the_column_and_does_not_quote_the_cell() {
        let fault = |cells: &[(&str, &str)]| read(cells).0.unwrap_err();
        assert_eq!(fault(&[("full_name", "x")]), BadRow::NoKey("id".into()));
        assert_eq!(fault(&[("id", "a@b")]), BadRow::PersonalKey("id".into()));
        for key in ["a\u{fffd}", "a\nb", "a\0"] {
            assert_eq!(fault(&[("id", key)]), BadRow::BadKey("id".into()));
        }
        let no_address = BadRow::Form("mail".into(), "an e-mail address");
        assert_eq!(fault(&[("id", "1"), ("mail", "nobody")]), no_address);
        let long = "9".repeat(2_000);
        let too_long = BadRow::TooLong("full_name".into(), 500);
        assert_eq!(fault(&[("id", "1"), ("full_name", &long)]), too_long);
        assert_eq!(fault(&[("id", &long[..201])]), BadRow::TooLong("id".into(), 200));
    }

    #[test]
    fn a_name_may_stand_in_several_columns() {
        let text = "key = \"id\"\nname = [\"first\", \"last\"]\ndefault_language = \"en\"";
        let mapping: TableMapping = toml::from_str(text).unwrap();
        assert_eq!(mapping.columns(), ["id", "first", "last"]);
        let name = |first: &str, last: &str| {
            let cell = |column: &str| match column {
                "first" => first.to_owned(),
                "last" => last.to_owned(),
                _ => "1".to_owned(),
            };
            person(&mapping, &cell, &mut Assumed::default())
        };
        let text = |first, last| name(first, last).unwrap().name.expose().to_owned();
        assert_eq!(text("Ada", "Lovelace"), "Ada Lovelace");
        assert_eq!(text(" ", "Lovelace"), "Lovelace");
        assert!(!name("", "\\N").unwrap().holds.contains(Field::Name));
        let long = "a".repeat(300);
        assert_eq!(name(&long, &long), Err(BadRow::TooLong("first and last".into(), 500)));
        let wrong = toml::from_str::<TableMapping>("key = \"id\"\nname = 7").unwrap_err();
        assert!(wrong.message().contains("a list of names"), "{wrong}");
    }

    #[test]
    fn an_empty_cell_and_the_marker_for_no_value_are_the_same() {
        let long = "9".repeat(2_000);
        let (row, assumed) =
            read(&[("id", "1"), ("mail", "\\N"), ("phone", &long), ("land", "\\N")]);
        let row = row.unwrap();
        assert!(row.holds.contains(Field::Phone), "of any length");
        assert_eq!((row.email.expose(), row.country), ("", None));
        assert_eq!((assumed.null_markers, assumed.countries.len()), (2, 0));
        let (row, _) = read(&[("id", "1"), ("phone", "\\N")]);
        assert!(row.unwrap().holds.is_empty());
    }

    #[test]
    fn a_key_keeps_its_value() {
        for (cell, key, form) in [
            ("101", "101", KeyForm::WholeNumber),
            ("007", "007", KeyForm::WholeNumber),
            ("101.0", "101", KeyForm::WithDecimals),
            ("7.00", "7", KeyForm::WithDecimals),
            ("9007199254740993.00", "9007199254740993", KeyForm::WithDecimals),
            ("'756", "756", KeyForm::WithApostrophe),
            ("1.5", "1.5", KeyForm::Text),
            ("12e5", "12e5", KeyForm::Text),
            ("a.0", "a.0", KeyForm::Text),
        ] {
            let (row, assumed) = read(&[("id", cell)]);
            assert_eq!(row.unwrap().key, key, "{cell}");
            assert_eq!(assumed.keys, [(form, 1)].into(), "{cell}");
        }
        for cell in
            ["1.23457E+15", "1,23457E+15", "1E+15", "-1E+15", "1.2e22", "9007199254740992.0"]
        {
            let (row, assumed) = read(&[("id", cell)]);
            assert_eq!(row, Err(BadRow::RoundedKey("id".into())), "{cell}");
            assert_eq!(assumed, Assumed::default(), "a row that is not taken has no assumptions");
        }
    }

    #[test]
    fn a_place_or_a_language_that_is_not_understood_loses_nobody() {
        for (land, code) in [("Germany", Some("DE")), ("Atlantis", None), ("", None)] {
            let row = read(&[("id", "1"), ("land", land)]).0.unwrap();
            assert_eq!(row.country.as_ref().map(Country::as_str), code, "{land}");
        }
        let (row, assumed) = read(&[("id", "1"), ("land", "?"), ("lang", "Klingon")]);
        assert_eq!(row.unwrap().language.to_string(), "en");
        assert_eq!(assumed.countries, [(places::PlaceForm::Unknown, 1)].into());
        assert_eq!(assumed.default_language, 1);
        let (row, assumed) = read(&[("id", "1"), ("lang", "de_AT")]);
        assert_eq!((row.unwrap().language.to_string(), assumed.default_language), ("de".into(), 0));
    }
}
