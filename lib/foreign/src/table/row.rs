//! Reads one row of a table. An error names the column but never quotes the cell.

use cofferdam_core::Field;
use cofferdam_core::{BroughtPerson, Country, FieldSet, Language, Personal, Region};

use super::TableMapping;

/// The text that `MySQL` and `COPY` write for a value that is not there.
const NO_VALUE: &str = "\\N";
/// The longest cell, in bytes.
const MAX_TEXT: usize = 500;

/// A row can't be brought.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRow {
    /// The cell in this column, which holds the key, is empty.
    #[error("{0} is empty: accesses can't be matched to a customer without a key")]
    NoKey(String),
    /// The cell in this column, which holds the key, is an e-mail address.
    #[error("{0} is an e-mail address: keys are stored in clear, so map the key to another column")]
    PersonalKey(String),
    /// The cell in this column is too long.
    #[error("{0} has more than {MAX_TEXT} bytes")]
    TooLong(String),
    /// The cell in this column does not have the named form.
    #[error("{0} is not {1}")]
    Form(String, &'static str),
    /// The row as a whole can't be parsed, for the reason in the text.
    #[error("{0}")]
    Shape(String),
}

/// Reads a row. `cell` gives the text of a column, which is empty if the row has no value there.
pub fn person(
    mapping: &TableMapping,
    cell: &dyn Fn(&str) -> String,
) -> Result<BroughtPerson, BadRow> {
    let text = |column: &str| {
        let text = cell(column);
        let good = text.len() <= MAX_TEXT;
        good.then(|| value_of(&text).to_owned()).ok_or_else(|| BadRow::TooLong(column.to_owned()))
    };
    let given = |column: &Option<String>| match column {
        Some(column) => text(column).map(|text| (column.clone(), text)),
        None => Ok((String::new(), String::new())),
    };
    let key = plain_key(&text(&mapping.key)?).to_owned();
    if key.is_empty() {
        return Err(BadRow::NoKey(mapping.key.clone()));
    }
    if key.contains('@') {
        return Err(BadRow::PersonalKey(mapping.key.clone()));
    }
    let (_, name) = given(&mapping.name)?;
    let (email_column, email) = given(&mapping.email)?;
    if !email.is_empty() && !email.contains('@') {
        return Err(BadRow::Form(email_column, "an e-mail address"));
    }
    let lines = mapping.address.iter().map(|column| text(column));
    let lines: Vec<String> = lines.collect::<Result<_, _>>()?;
    let lines: Vec<_> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    let address = (!lines.is_empty()).then(|| Personal::new(lines.join("\n")));
    let mut filled = vec![
        (Field::Name, !name.is_empty()),
        (Field::Email, !email.is_empty()),
        (Field::ShippingAddress, address.is_some()),
    ];
    for (column, field) in &mapping.holds {
        // Only whether the cell is filled matters, so no length is too much.
        filled.push((*field, !value_of(&cell(column)).is_empty()));
    }
    let holds: FieldSet =
        filled.into_iter().filter_map(|(field, filled)| filled.then_some(field)).collect();
    let (_, country) = given(&mapping.country)?;
    let (_, region) = given(&mapping.region)?;
    // A place that is written in another way is unknown. The person counts all the same.
    let country: Option<Country> = country.to_uppercase().parse().ok();
    let region: Option<Region> = region.to_uppercase().parse().ok().filter(|_| country.is_some());
    Ok(BroughtPerson {
        key,
        country,
        region,
        language: language(mapping, &given(&mapping.language)?)?,
        minor: minor(&given(&mapping.minor)?)?,
        name: Personal::new(name),
        email: Personal::new(email),
        address,
        holds,
    })
}

/// The value in a cell; empty if there is none.
fn value_of(text: &str) -> &str {
    let text = text.trim();
    if text == NO_VALUE { "" } else { text }
}

/// A key as the shop's database has it: without the apostrophe that spreadsheets put before
/// numbers, and without the decimals that floating-point columns give whole numbers.
fn plain_key(key: &str) -> &str {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let key = key.strip_prefix('\'').filter(|rest| is_number(rest)).unwrap_or(key);
    match key.split_once('.') {
        Some((whole, decimals))
            if is_number(whole)
                && !decimals.is_empty()
                && decimals.bytes().all(|byte| byte == b'0') =>
        {
            whole
        }
        _ => key,
    }
}

fn code<T: std::str::FromStr>(
    column: &str,
    text: &str,
    what: &'static str,
) -> Result<Option<T>, BadRow> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| BadRow::Form(column.to_owned(), what))
}

fn language(mapping: &TableMapping, (column, text): &(String, String)) -> Result<Language, BadRow> {
    let bare = text.split(['-', '_']).next().unwrap_or_default().to_lowercase();
    let language = code(column, &bare, "a language code")?;
    Ok(language.unwrap_or_else(|| mapping.default_language.clone()))
}

fn minor((column, text): &(String, String)) -> Result<bool, BadRow> {
    match text.to_lowercase().as_str() {
        "" | "false" | "f" | "0" | "no" | "n" => Ok(false),
        "true" | "t" | "1" | "yes" | "y" => Ok(true),
        _ => Err(BadRow::Form(column.clone(), "true or false")),
    }
}
