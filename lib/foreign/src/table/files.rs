//! Reads the rows of each format.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _};

use csv::{ReaderBuilder, StringRecord};
use parquet::basic::LogicalType;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::Type;
use serde_json::Value;

use super::row::{BadRow, person};
use super::{TableError, TableMapping, TakeRow};
use crate::{ReadError, lines};

pub fn csv<E>(
    mapping: &TableMapping,
    table: impl Read,
    take: TakeRow<'_, E>,
) -> Result<(), TableError<E>> {
    let mut table = Quotes { table, count: 0 };
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(&mut table);
    let unreadable = |row, e: &csv::Error| TableError::Unreadable { row, what: e.to_string() };
    let header = reader.headers().map_err(|e| unreadable(1, &e))?.clone();
    let places: HashMap<&str, usize> =
        header.iter().enumerate().map(|(place, name)| (name.trim(), place)).collect();
    check_columns(mapping, |column| places.contains_key(column))?;
    let mut record = StringRecord::new();
    // The number of the last row, and whether it spans lines.
    let mut last = (1, false);
    for number in 1.. {
        let read = reader.read_record(&mut record);
        if matches!(read, Ok(true)) {
            last = (number, record.iter().any(|cell| cell.contains('\n')));
        }
        let row = match read {
            Ok(false) => break,
            Ok(true) if record.len() != header.len() => {
                let (found, expected) = (record.len(), header.len());
                Err(BadRow::Shape(format!("the row has {found} cells, but the header {expected}")))
            }
            Ok(true) => person(mapping, &|column| {
                places.get(column).and_then(|at| record.get(*at)).unwrap_or_default().to_owned()
            }),
            Err(e) if matches!(e.kind(), csv::ErrorKind::Utf8 { .. }) => {
                Err(BadRow::Shape("the row is not UTF-8".to_owned()))
            }
            Err(e) => return Err(unreadable(number, &e)),
        };
        take(number, row).map_err(TableError::Taker)?;
    }
    let (row, spans_lines) = last;
    if spans_lines && table.count % 2 == 1 {
        let what = "a quote is never closed, so everything behind it is one cell".to_owned();
        return Err(TableError::Unreadable { row, what });
    }
    Ok(())
}

/// Counts the quotes that pass. A table whose quotes are all closed has an even number.
struct Quotes<R> {
    table: R,
    count: u64,
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.table.read(out)?;
        self.count += memchr::memchr_iter(b'"', &out[..read]).count() as u64;
        Ok(read)
    }
}

/// Reads JSON Lines in a file, twice: a column that no line has is no column, and bringing it would
/// erase what is stored.
pub fn json_lines<E>(
    mapping: &TableMapping,
    mut file: File,
    take: TakeRow<'_, E>,
) -> Result<(), TableError<E>> {
    let unreadable = |e: io::Error| TableError::Unreadable { row: 1, what: e.to_string() };
    let columns = columns_in(BufReader::new(&file)).map_err(unreadable)?;
    if columns.is_array {
        let what = "the file is a JSON array; write one object a line, as `jq -c '.[]'` does";
        return Err(TableError::Unreadable { row: 1, what: what.to_owned() });
    }
    check_columns(mapping, |column| columns.names.contains(column))?;
    file.rewind().map_err(unreadable)?;
    read_lines(mapping, BufReader::new(file), take)
}

/// The layout of a file's lines.
struct Columns {
    names: HashSet<String>,
    /// Whether the file begins as a JSON array.
    is_array: bool,
}

fn columns_in(table: impl BufRead) -> io::Result<Columns> {
    let mut found = Columns { names: HashSet::new(), is_array: false };
    let mut is_first = true;
    let read = lines(table, &mut |_, text| {
        let Ok(text) = text else { return Ok(()) };
        if is_first && !text.trim().is_empty() {
            found.is_array = text.trim_start().starts_with('[');
            is_first = false;
        }
        if let Ok(object) = serde_json::from_str::<serde_json::Map<String, Value>>(text) {
            found.names.extend(object.into_iter().map(|(name, _)| name));
        }
        Ok::<_, io::Error>(())
    });
    match read {
        Ok(()) => Ok(found),
        Err(ReadError::Io { source, .. } | ReadError::Taker(source)) => Err(source),
    }
}

fn read_lines<E>(
    mapping: &TableMapping,
    table: impl BufRead,
    take: TakeRow<'_, E>,
) -> Result<(), TableError<E>> {
    let read = lines(table, &mut |number, text| {
        let bad = |what: &str| Err(BadRow::Shape(what.to_owned()));
        let row = match text.map(serde_json::from_str::<serde_json::Map<String, Value>>) {
            Ok(Ok(object)) => person(mapping, &|column| text_of(object.get(column))),
            Ok(Err(_)) => bad("the line is not a JSON object"),
            Err(why) => bad(&why),
        };
        take(number, row)
    });
    read.map_err(|e| match e {
        ReadError::Io { line, source } => {
            TableError::Unreadable { row: line, what: source.to_string() }
        }
        ReadError::Taker(e) => TableError::Taker(e),
    })
}

fn text_of(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

pub fn parquet<E>(
    mapping: &TableMapping,
    file: File,
    take: TakeRow<'_, E>,
) -> Result<(), TableError<E>> {
    let unreadable =
        |row, e: &dyn std::error::Error| TableError::Unreadable { row, what: e.to_string() };
    let reader = SerializedFileReader::new(file).map_err(|e| unreadable(1, &e))?;
    let schema = reader.metadata().file_metadata().schema().clone();
    let columns = mapping.columns();
    let fields = schema.get_fields();
    check_columns(mapping, |column| fields.iter().any(|field| field.name() == column))?;
    let is_uuid = |field: &&parquet::schema::types::TypePtr| {
        field.get_basic_info().logical_type_ref() == Some(&LogicalType::Uuid)
    };
    let uuids: HashSet<String> =
        fields.iter().filter(is_uuid).map(|field| field.name().to_owned()).collect();
    let wanted: Vec<_> =
        fields.iter().filter(|field| columns.contains(&field.name())).cloned().collect();
    let projection = Type::group_type_builder(schema.name()).with_fields(wanted).build();
    let projection = projection.map_err(|e| unreadable(1, &e))?;
    let rows = reader.get_row_iter(Some(projection)).map_err(|e| unreadable(1, &e))?;
    for (number, row) in (1..).zip(rows) {
        let row = row.map_err(|e| unreadable(number, &e))?;
        let cells: HashMap<&str, &Field> =
            row.get_column_iter().map(|(name, field)| (name.as_str(), field)).collect();
        let person = person(mapping, &|column| match cells.get(column) {
            None | Some(Field::Null) => String::new(),
            Some(Field::Str(text)) => text.clone(),
            Some(Field::Bytes(bytes)) if uuids.contains(column) => uuid(bytes.data()),
            Some(Field::Bytes(bytes)) => String::from_utf8_lossy(bytes.data()).into_owned(),
            Some(other) => other.to_string(),
        });
        take(number, person).map_err(TableError::Taker)?;
    }
    Ok(())
}

/// A UUID in its usual form (RFC 9562).
fn uuid(bytes: &[u8]) -> String {
    let digits = |(place, byte): (usize, &u8)| {
        let hyphen = if matches!(place, 4 | 6 | 8 | 10) { "-" } else { "" };
        [hyphen.to_owned(), format!("{byte:02x}")].concat()
    };
    bytes.iter().enumerate().map(digits).collect()
}

fn check_columns<E>(
    mapping: &TableMapping,
    has: impl Fn(&str) -> bool,
) -> Result<(), TableError<E>> {
    let missing: Vec<_> =
        mapping.columns().into_iter().filter(|column| !has(column)).map(str::to_owned).collect();
    if missing.is_empty() { Ok(()) } else { Err(TableError::Missing(missing)) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cofferdam_core::BroughtPerson;
    use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;
    use crate::table::{TableFormat, read_csv, read_file};

    fn mapping() -> TableMapping {
        toml::from_str(
            r#"
            key = "id"
            name = "full_name"
            email = "mail"
            country = "land"
            language = "lang"
            default_language = "en"
            holds = { phone = "phone" }
            "#,
        )
        .unwrap()
    }

    type Rows = Vec<Result<BroughtPerson, BadRow>>;

    fn from_csv(text: &str) -> Result<Rows, TableError<()>> {
        let mut rows = Vec::new();
        read_csv(&mapping(), text.as_bytes(), &mut |_, row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    fn from_file(format: TableFormat, file: File) -> Rows {
        let mut rows = Vec::new();
        let read = read_file(&mapping(), format, file, &mut |_, row| {
            rows.push(row);
            Ok::<_, ()>(())
        });
        read.unwrap();
        rows
    }

    const TABLE: &str = "id,full_name,mail,land,lang,phone\n\
        7,Ada Byron,ada@post.example,gb,en_GB,\n8,Bo,,,,12\n";

    #[test]
    fn every_format_gives_the_same_rows() {
        let expected = from_csv(TABLE).unwrap();
        let [Ok(ada), Ok(bo)] = &expected[..] else { panic!("two people") };
        assert_eq!((ada.key.as_str(), ada.name.expose()), ("7", "Ada Byron"));
        assert_eq!(ada.country.as_ref().map(cofferdam_core::Country::as_str), Some("GB"));
        assert!(!ada.holds.contains(cofferdam_core::Field::Phone));
        assert!(bo.holds.contains(cofferdam_core::Field::Phone) && bo.country.is_none());

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("customers.jsonl");
        let json = r#"{"id":7,"full_name":"Ada Byron","mail":"ada@post.example","land":"gb","lang":"en_GB"}
{"id":8,"full_name":"Bo","mail":null,"phone":12,"extra":[1]}
"#;
        std::fs::write(&path, json).unwrap();
        assert_eq!(TableFormat::of(&path), Some(TableFormat::JsonLines));
        assert_eq!(from_file(TableFormat::JsonLines, File::open(&path).unwrap()), expected);

        let path = dir.path().join("customers.parquet");
        write_parquet(&path);
        assert_eq!(from_file(TableFormat::Parquet, File::open(&path).unwrap()), expected);
    }

    fn write_parquet(path: &std::path::Path) {
        let names = ["full_name", "mail", "land", "lang", "phone"];
        let texts = names.map(|name| format!("optional binary {name} (UTF8);")).join(" ");
        let schema = parse_message_type(&format!("message t {{ required int64 id; {texts} }}"));
        let file = File::create(path).unwrap();
        let properties = Arc::new(WriterProperties::default());
        let mut writer =
            SerializedFileWriter::new(file, Arc::new(schema.unwrap()), properties).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&[7, 8], None, None).unwrap();
        column.close().unwrap();
        let rows = [["Ada Byron", "ada@post.example", "gb", "en_GB", ""], ["Bo", "", "", "", "12"]];
        for place in 0..names.len() {
            let cells = rows.map(|row| row[place]);
            let levels: Vec<i16> = cells.iter().map(|cell| i16::from(!cell.is_empty())).collect();
            let full = cells.iter().filter(|cell| !cell.is_empty());
            let values: Vec<ByteArray> = full.map(|cell| ByteArray::from(*cell)).collect();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
        writer.close().unwrap();
    }

    #[test]
    fn an_error_names_the_column_and_does_not_quote_the_cell() {
        let head = "id,full_name,mail,land,lang,phone\n";
        let read = |row: &str| from_csv(&format!("{head}{row}\n")).unwrap().remove(0);
        assert_eq!(read(",x,,,,"), Err(BadRow::NoKey("id".into())));
        assert_eq!(read("a@b,x,,,,"), Err(BadRow::PersonalKey("id".into())));
        assert_eq!(read("1,x,nobody,,,"), Err(BadRow::Form("mail".into(), "an e-mail address")));
        assert_eq!(read("1,x,,Germany,,").unwrap().country, None, "unknown, and not lost");
        assert!(matches!(read("1,x"), Err(BadRow::Shape(_))));
        let long = format!("1,x,,,,{}", "9".repeat(2_000));
        assert!(read(&long).unwrap().holds.contains(cofferdam_core::Field::Phone));
        let empty = read("1,x,\\N,\\N,\\N,\\N").unwrap();
        assert_eq!((empty.email.expose(), empty.country), ("", None));
        assert!(!empty.holds.contains(cofferdam_core::Field::Phone));
        let missing = from_csv("id,full_name\n1,x\n");
        assert!(matches!(missing, Err(TableError::Missing(columns)) if columns.len() == 4));
    }

    #[test]
    fn a_key_keeps_its_value() {
        let head = "id,full_name,mail,land,lang,phone\n";
        for (cell, key) in [
            ("101.0", "101"),
            ("7.00", "7"),
            ("'756", "756"),
            ("007", "007"),
            ("1.5", "1.5"),
            ("a.0", "a.0"),
        ] {
            let rows = from_csv(&format!("{head}{cell},x,,,,\n")).unwrap();
            assert_eq!(rows[0].as_ref().unwrap().key, key, "{cell}");
        }
        let bytes: Vec<u8> = (0..16).collect();
        assert_eq!(uuid(&bytes), "00010203-0405-0607-0809-0a0b0c0d0e0f");
    }

    #[test]
    fn a_quote_that_is_never_closed_is_an_error_and_loses_nobody_in_silence() {
        let head = "id,full_name,mail,land,lang,phone\n";
        let lost = from_csv(&format!("{head}1,a,,,,\n2,\"b,,,,\n3,c,,,,\n"));
        assert!(matches!(lost, Err(TableError::Unreadable { row: 2, .. })), "{lost:?}");
        let rows = from_csv(&format!("{head}1,\"a\nb\",,,,\n2,5\" b,,,,\n")).unwrap();
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn json_lines_without_a_mapped_column_and_a_json_array_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            let path = dir.path().join("t.jsonl");
            std::fs::write(&path, text).unwrap();
            let file = File::open(&path).unwrap();
            read_file(&mapping(), TableFormat::JsonLines, file, &mut |_, _| Ok::<_, ()>(()))
        };
        let missing =
            read("{\"id\":7,\"mail\":\"a@b.example\",\"land\":\"\",\"lang\":\"\",\"phone\":1}\n");
        assert!(matches!(missing, Err(TableError::Missing(columns)) if columns == ["full_name"]));
        let array = read("[\n{\"id\":7}\n]\n");
        assert!(matches!(array, Err(TableError::Unreadable { row: 1, .. })));
    }
}
