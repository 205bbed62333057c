//! Reads tables in Parquet, in every compression that its writers use.

use std::collections::{HashMap, HashSet};
use std::fs::File;

use parquet::basic::LogicalType;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::{Type, TypePtr};

use super::rows::Rows;
use super::{TableError, check_columns};

/// Whole numbers from here on are rounded in columns of 32-bit floating-point numbers.
const FIRST_INEXACT_FLOAT: f32 = 16_777_216.0;
/// The same for 64 bits.
const FIRST_INEXACT_DOUBLE: f64 = 9_007_199_254_740_992.0;

/// Reads the mapped columns of a file.
pub fn read<E>(file: File, rows: &mut Rows<'_, E>) -> Result<(), TableError<E>> {
    let reader = SerializedFileReader::new(file).map_err(|e| TableError::unreadable(1, &e))?;
    let metadata = reader.metadata().file_metadata();
    let expected = u64::try_from(metadata.num_rows()).unwrap_or_default();
    let schema = metadata.schema().clone();
    let fields = schema.get_fields();
    check_columns(rows.mapping, |column| {
        fields.iter().filter(|field| field.name() == column).count()
    })?;
    let is_nested =
        |column: &&str| fields.iter().any(|field| field.name() == *column && !field.is_primitive());
    if let Some(column) = rows.mapping.read_columns().into_iter().find(is_nested) {
        return Err(TableError::Nested(column.to_owned()));
    }
    let columns = rows.mapping.columns();
    let wanted: Vec<_> =
        fields.iter().filter(|field| columns.contains(&field.name())).cloned().collect();
    let uuids: HashSet<String> =
        wanted.iter().filter(|field| is_uuid(field)).map(|field| field.name().to_owned()).collect();
    let projection = Type::group_type_builder(schema.name()).with_fields(wanted).build();
    let projection = projection.map_err(|e| TableError::unreadable(1, &e))?;
    let read = reader.get_row_iter(Some(projection));
    let mut found = 0;
    for row in read.map_err(|e| TableError::unreadable(1, &e))? {
        let row = row.map_err(|e| TableError::unreadable(found + 1, &e))?;
        found += 1;
        let cells: HashMap<&str, &Field> =
            row.get_column_iter().map(|(name, field)| (name.as_str(), field)).collect();
        rows.take(found, &|column| text_of(cells.get(column).copied(), uuids.contains(column)))?;
    }
    if found != expected {
        let what = format!("the file has {found} rows, but says that it has {expected}");
        return Err(TableError::Unreadable { row: found + 1, what });
    }
    Ok(())
}

fn is_uuid(field: &TypePtr) -> bool {
    field.get_basic_info().logical_type_ref() == Some(&LogicalType::Uuid)
}

fn text_of(field: Option<&Field>, is_uuid: bool) -> String {
    match field {
        None | Some(Field::Null) => String::new(),
        Some(Field::Str(text)) => text.clone(),
        Some(Field::Bytes(bytes)) if is_uuid => uuid(bytes.data()),
        Some(Field::Bytes(bytes)) => String::from_utf8_lossy(bytes.data()).into_owned(),
        Some(Field::Float(number)) if !number.is_finite() => String::new(),
        Some(Field::Double(number)) if !number.is_finite() => String::new(),
        // A key in this form is refused as rounded.
        Some(Field::Float(number)) if *number >= FIRST_INEXACT_FLOAT => format!("{number:.6e}"),
        Some(Field::Double(number)) if *number >= FIRST_INEXACT_DOUBLE => format!("{number:.15e}"),
        // The library leaves a point behind whole decimals.
        Some(decimal @ Field::Decimal(_)) => decimal.to_string().trim_end_matches('.').to_owned(),
        Some(other) => other.to_string(),
    }
}

/// A UUID in its usual form (RFC 9562).
fn uuid(bytes: &[u8]) -> String {
    let digits = |(place, byte): (usize, &u8)| {
        let hyphen = if matches!(place, 4 | 6 | 8 | 10) { "-" } else { "" };
        [hyphen.to_owned(), format!("{byte:02x}")].concat()
    };
    bytes.iter().enumerate().map(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_was_rounded_shows() {
        for (field, text) in [
            (Field::Double(101.0), "101.0"),
            (Field::Double(9_007_199_254_740_991.0), "9007199254740991.0"),
            (Field::Double(9_007_199_254_740_992.0), "9.007199254740992e15"),
            (Field::Float(16_777_216.0), "1.677722e7"),
            (Field::Double(f64::NAN), ""),
            (Field::Null, ""),
        ] {
            assert_eq!(text_of(Some(&field), false), text);
        }
    }

    #[test]
    fn a_uuid_has_its_usual_form() {
        let bytes: Vec<u8> = (0..16).collect();
        assert_eq!(uuid(&bytes), "00010203-0405-0607-0809-0a0b0c0d0e0f");
    }
}
