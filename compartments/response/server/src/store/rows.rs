//! Reading columns by name, and the forms in which values are stored.

use cofferdam_core::{FieldSet, Timestamp};
use cofferdam_store::StoreError;
use futures_util::{Stream, TryStreamExt as _};
use response_letter::Told;
use roaring::RoaringBitmap;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

/// A statement that is put together from constants and numbered parameters. It never contains
/// values.
pub fn sql(text: String) -> AssertSqlSafe<String> {
    AssertSqlSafe(text)
}

/// The error for a stored value that this software does not write.
pub fn corrupt(what: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(what.to_string())
}

/// Reads a number.
pub fn number<T: TryFrom<i64>>(row: &AnyRow, column: &str) -> Result<T, StoreError> {
    narrow(row.try_get(column)?)
}

/// Reads an instant, stored in milliseconds since 1970.
pub fn instant(row: &AnyRow, column: &str) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(row.try_get(column)?).map_err(corrupt)
}

/// Reads an instant that may be missing.
pub fn optional_instant(row: &AnyRow, column: &str) -> Result<Option<Timestamp>, StoreError> {
    let ms = row.try_get::<Option<i64>, _>(column)?;
    ms.map(Timestamp::from_millisecond).transpose().map_err(corrupt)
}

/// Reads a value that is stored as the text that it parses from.
pub fn parsed<T>(row: &AnyRow, column: &str) -> Result<T, StoreError>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    row.try_get::<String, _>(column)?.parse().map_err(corrupt)
}

/// Reads a value stored as text, which may be missing.
pub fn optional_parsed<T>(row: &AnyRow, column: &str) -> Result<Option<T>, StoreError>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = row.try_get::<Option<String>, _>(column)?;
    text.map(|text| text.parse()).transpose().map_err(corrupt)
}

/// Reads a set of fields, stored as its bits.
pub fn fields(row: &AnyRow, column: &str) -> Result<FieldSet, StoreError> {
    let bits = number(row, column)?;
    FieldSet::from_bits(bits).ok_or_else(|| corrupt(format!("the field bits {bits}")))
}

/// Reads what a ledger row says of its person's data.
pub fn told(row: &AnyRow) -> Result<Told, StoreError> {
    let while_signed_in = number::<u8>(row, "while_signed_in")? != 0;
    Ok(Told { fields: fields(row, "fields")?, while_signed_in })
}

/// Reads a bitmap in the portable serialisation.
pub fn bitmap(row: &AnyRow, column: &str) -> Result<RoaringBitmap, StoreError> {
    let bytes: Vec<u8> = row.try_get(column)?;
    RoaringBitmap::deserialize_from(bytes.as_slice()).map_err(corrupt)
}

/// The portable serialisation of a bitmap.
pub fn bitmap_bytes(records: &RoaringBitmap) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(records.serialized_size());
    records.serialize_into(&mut bytes).map_err(corrupt)?;
    Ok(bytes)
}

/// Reads the numbers in the column `person` as a bitmap, row by row, because they may be
/// everybody's.
pub async fn people(
    mut rows: impl Stream<Item = Result<AnyRow, sqlx::Error>> + Unpin,
) -> Result<RoaringBitmap, StoreError> {
    let mut people = RoaringBitmap::new();
    while let Some(row) = rows.try_next().await? {
        people.insert(number(&row, "person")?);
    }
    Ok(people)
}

/// The placeholders `$1, $2, …` for `count` values.
pub fn placeholders(count: usize) -> String {
    (1..=count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

fn narrow<T: TryFrom<i64>>(stored: i64) -> Result<T, StoreError> {
    T::try_from(stored).map_err(|_| corrupt(format!("the number {stored}")))
}
