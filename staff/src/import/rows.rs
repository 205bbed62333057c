//! One row of a file of customers as `accounts` takes it. An error never quotes the row: if columns
//! slipped, any cell may hold any personal data.

use std::str::FromStr;

use accounts_api::{Coarse, ImportRow, LegacyCredential, LegacyScheme, Profile};
use aws_lc_rs::digest::{SHA256, digest};
use cofferdam_core::{KeyBytes, Personal};
use csv::ByteRecord;

use super::error::BadHeader;

/// The columns that a header must name, in any order. It may name others as well.
pub const COLUMNS: [&str; 13] = [
    "name",
    "email",
    "phone",
    "billing_address",
    "shipping_address",
    "card_last4",
    "country",
    "region",
    "language",
    "minor",
    "password_scheme",
    "password_salt",
    "password_hash",
];

/// The longest text of a cell, in bytes, as in [`Profile`].
const MAX_TEXT: usize = 500;

/// The place of each column in a row.
#[derive(Debug, Clone)]
pub struct Columns {
    places: [usize; COLUMNS.len()],
    width: usize,
}

/// A row that is not imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRow {
    /// The row has another number of cells than the header.
    #[error("the row has {found} cells, the header {expected}")]
    Width {
        /// The number of cells in the row.
        found: usize,
        /// The number of cells in the header.
        expected: usize,
    },
    /// A quote may have joined rows.
    #[error("a quote is not closed, or stands within a cell")]
    Joined,
    /// A cell, named by its column, is not UTF-8.
    #[error("{0} is not UTF-8")]
    NotUtf8(&'static str),
    /// A cell, named by its column, is too long.
    #[error("{0} has more than {MAX_TEXT} bytes")]
    TooLong(&'static str),
    /// A cell does not have the form of its column. The column and the form are named.
    #[error("{0} is not {1}")]
    Form(&'static str, &'static str),
    /// A hash does not have the length of its scheme, in bytes.
    #[error("password_hash is not {0} bytes in hexadecimal, as its scheme has")]
    Hash(usize),
}

impl Columns {
    /// Reads the header row.
    pub fn of(header: &ByteRecord) -> Result<Self, BadHeader> {
        let mut places = [0; COLUMNS.len()];
        let mut missing = Vec::new();
        for (place, name) in places.iter_mut().zip(COLUMNS) {
            let named = |(_, cell): &(usize, &[u8])| cell.trim_ascii() == name.as_bytes();
            let mut found = header.iter().enumerate().filter(named).map(|(at, _)| at);
            match (found.next(), found.next()) {
                (Some(at), None) => *place = at,
                (Some(_), Some(_)) => return Err(BadHeader::Twice(name)),
                (None, _) => missing.push(name),
            }
        }
        if missing.is_empty() {
            Ok(Self { places, width: header.len() })
        } else {
            Err(BadHeader::Missing(missing))
        }
    }

    /// Parses the row that begins on `line`.
    pub fn row(&self, record: &ByteRecord, line: u64) -> Result<ImportRow, BadRow> {
        if record.len() != self.width {
            return Err(BadRow::Width { found: record.len(), expected: self.width });
        }
        let mut cells = [""; COLUMNS.len()];
        for ((cell, place), name) in cells.iter_mut().zip(self.places).zip(COLUMNS) {
            let bytes = record.get(place).unwrap_or_default();
            *cell = std::str::from_utf8(bytes).map_err(|_| BadRow::NotUtf8(name))?;
            if cell.len() > MAX_TEXT {
                return Err(BadRow::TooLong(name));
            }
        }
        let [profile @ .., scheme, salt, hash] = cells;
        let credential = credential(scheme, salt, hash)?;
        Ok(ImportRow { line, profile: self::profile(profile)?, credential })
    }
}

fn profile(cells: [&str; 10]) -> Result<Profile, BadRow> {
    let [name, email, phone, billing, shipping, last4, country, region, language, minor] = cells;
    let filled = |text: &str| (!text.trim().is_empty()).then(|| Personal::new(text));
    Ok(Profile {
        name: Personal::new(name),
        email: Personal::new(email),
        phone: filled(phone),
        billing_address: filled(billing),
        shipping_address: filled(shipping),
        card_last4: filled(last4),
        coarse: Coarse {
            country: code(country, "country", "two capital letters (ISO 3166-1)")?,
            region: code(region, "region", "one to three capital letters or digits (ISO 3166-2)")?,
            language: code(language, LANGUAGE.0, LANGUAGE.1)?
                .ok_or(BadRow::Form(LANGUAGE.0, LANGUAGE.1))?,
            minor: match minor.trim() {
                "true" | "1" => true,
                "false" | "0" | "" => false,
                _ => return Err(BadRow::Form("minor", "true or false")),
            },
        },
    })
}

const LANGUAGE: (&str, &str) = ("language", "two small letters (ISO 639-1)");

/// Parses the code in a cell. An empty cell holds none.
fn code<T: FromStr>(
    cell: &str,
    column: &'static str,
    form: &'static str,
) -> Result<Option<T>, BadRow> {
    match cell.trim() {
        "" => Ok(None),
        cell => cell.parse().map(Some).map_err(|_| BadRow::Form(column, form)),
    }
}

fn credential(scheme: &str, salt: &str, hash: &str) -> Result<LegacyCredential, BadRow> {
    let (scheme, length) = match scheme.trim() {
        "salted_sha1" => (LegacyScheme::SaltedSha1, 20),
        "salted_sha256" => (LegacyScheme::SaltedSha256, 32),
        _ => return Err(BadRow::Form("password_scheme", "salted_sha1 or salted_sha256")),
    };
    let hash = hex::decode(hash.trim()).ok().filter(|hash| hash.len() == length);
    let hash = hash.ok_or(BadRow::Hash(length))?;
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, &hash).as_ref());
    Ok(LegacyCredential { scheme, salt: Personal::new(salt), digest: KeyBytes::new(bytes) })
}
